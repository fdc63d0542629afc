//! What a configured address means: WanGP's page, its MCP server, or whichever answers. Pure.
//!
//! People write the address of the MCP server with its path (`http://HOST:7866/mcp`), as WanGP's documentation does. The
//! gallery's routes lie beside that path, so the base is what stands before it.

use crate::net::Address;

/// Which face of WanGP an address can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Face {
    /// The web page, a Gradio app.
    Page,
    /// The MCP server.
    Mcp,
}

/// The base of an address, and the face that it names, where it names one.
pub(super) fn of(address: &Address) -> (Address, Option<Face>) {
    let base = address.base_path().strip_suffix("/mcp");
    // What is left after the path is cut is still the address that was read before.
    let cut = base.and_then(|_| Address::parse(address.to_string().strip_suffix("/mcp")?).ok());
    match cut {
        Some(base) => (base, Some(Face::Mcp)),
        None => (address.clone(), None),
    }
}

/// The token in a transfer's URL, which is remote text: only one of the form that the server mints is used.
pub(super) fn token<'a>(url: &'a str, route: &str) -> Option<&'a str> {
    let (_, token) = url.split_once(route)?;
    let fits = (8..=128).contains(&token.len());
    (fits && token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_the_mcp_server_is_taken_off_and_remembered() {
        for (text, base) in [
            ("http://h:7866/mcp", "http://h:7866"),
            ("h:7866/mcp/", "http://h:7866"),
            ("https://studio.example/wangp/mcp/", "https://studio.example/wangp"),
        ] {
            let (address, face) = of(&Address::parse(text).unwrap());
            assert_eq!((address.to_string().as_str(), face), (base, Some(Face::Mcp)), "{text}");
        }
        for text in ["http://h:7860", "http://h/mcpx", "http://h/comfy"] {
            let (address, face) = of(&Address::parse(text).unwrap());
            assert_eq!((address.to_string().as_str(), face), (text, None));
        }
    }

    #[test]
    fn a_transfers_token_is_all_that_is_used_of_its_url() {
        let route = "/gallery/download/";
        let token = |url| token(url, route);
        assert_eq!(token("/wangp_api/gallery/download/a57335ea395b"), Some("a57335ea395b"));
        assert_eq!(token("http://evil/wangp_api/gallery/download/a57335ea395b"), Some("a57335ea395b"));
        for bad in [
            "/gallery/download/../../etc",
            "/gallery/download/",
            "/x/a57335ea395b",
            "/gallery/download/a?b=12345678",
        ] {
            assert_eq!(token(bad), None, "{bad}");
        }
    }
}
