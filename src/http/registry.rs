//! Who can do what.

use axum::{
    Json,
    extract::{RawQuery, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{
    Context,
    answer::refusal,
    describe::{Away, Bad},
};
use crate::{
    model::{Capability, Class},
    registry::Register,
    supervisor::query::{Capable, Registry},
};

/// What is asked for in the address.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wish {
    capability: Option<Capability>,
    version: Option<String>,
    model: Option<String>,
}

/// Everything, or, with `capability`, who has it, best first; then also with `version` (at least) and `model`.
#[utoipa::path(
    get, path = "/registry",
    params(
        ("capability" = Option<Capability>, Query, description = "Only those that can do this, best first"),
        ("version" = Option<String>, Query, description = "Of this version or later", example = "0.24"),
        ("model" = Option<String>, Query, description = "With this model, by its name or its file's name"),
    ),
    responses((status = 200, body = Register), Bad, Away)
)]
pub(crate) async fn registry(State(context): State<Context>, RawQuery(query): RawQuery) -> Response {
    let wish = match Wish::parse(query.as_deref().unwrap_or_default()) {
        Ok(wish) => wish,
        Err(why) => {
            let fix = "Ask for one capability, like `?capability=image.generate`, or for none.";
            return refusal(StatusCode::BAD_REQUEST, "bad_capability", Class::Usage, &why, fix);
        }
    };
    let answer = match wish.into_query() {
        Some(query) => context.handle.query(query).await.map(Register::of),
        None => context.handle.query(Registry).await,
    };
    match answer {
        Ok(register) => ([(header::CACHE_CONTROL, "no-cache")], Json(register)).into_response(),
        Err(error) => error.into_response(),
    }
}

impl Wish {
    fn parse(query: &str) -> Result<Self, String> {
        let mut wish = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "capability" if value.is_empty() => {}
                "capability" => {
                    let known = value.parse::<Capability>().map_err(|e| format!("`capability`: {e}"))?;
                    wish.capability = Some(known);
                }
                "version" => wish.version = Some(value.into_owned()),
                "model" => wish.model = Some(value.into_owned()),
                // What a later version asks for is not ours to refuse.
                _ => {}
            }
        }
        if wish.capability.is_none() && (wish.version.is_some() || wish.model.is_some()) {
            return Err("`version` and `model` narrow a `capability`, and none is named".to_owned());
        }
        Ok(wish)
    }

    fn into_query(self) -> Option<Capable> {
        let mut query = Capable::of(self.capability?);
        if let Some(version) = self.version {
            query = query.at_least(version);
        }
        if let Some(model) = self.model {
            query = query.model(model);
        }
        Some(query)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_read_and_a_bad_one_is_refused() {
        assert_eq!(Wish::parse("later=1&capability=").unwrap(), Wish::default());
        let fine = Wish::parse("capability=image.generate&version=0.24&model=sd%20xl.safetensors").unwrap();
        assert_eq!(fine.capability, Some(Capability::ImageGenerate));
        assert_eq!(fine.model.as_deref(), Some("sd xl.safetensors"));
        assert!(Wish::parse("capability=image.paint").unwrap_err().contains("image.generate"));
        assert!(Wish::parse("model=x").unwrap_err().contains("narrow"));
    }
}
