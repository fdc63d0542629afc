//! Ports to look at.

use std::{fmt, str::FromStr};

use serde::{Serialize, Serializer};

/// The ports on which these programs are usually found, in the order in which they are looked at: ComfyUI, Gradio and
/// WanGP, LiteLLM, vLLM and MCP servers, a second ComfyUI, launchers' Gradio apps, Ollama, LM Studio, llama.cpp.
pub const KNOWN: [PortRange; 9] = [
    PortRange::one(8188),
    PortRange { first: 7860, last: 7870 },
    PortRange::one(4000),
    PortRange::one(8000),
    PortRange::one(8189),
    PortRange { first: 7820, last: 7829 },
    PortRange::one(11434),
    PortRange::one(1234),
    PortRange::one(8080),
];

/// One port, or all from one to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PortRange {
    first: u16,
    last: u16,
}

impl PortRange {
    /// One port. 0 stands for none and matches nothing that listens.
    pub const fn one(port: u16) -> Self {
        Self { first: port, last: port }
    }

    /// The ports of it, in order.
    pub fn ports(self) -> impl Iterator<Item = u16> {
        self.first..=self.last
    }
}

impl FromStr for PortRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let port = |text: &str| match text.trim().parse::<u16>() {
            Ok(port) if port > 0 => Ok(port),
            _ => Err("is no port: 1 to 65535, or a range like 9000-9010".to_owned()),
        };
        let (first, last) = match text.split_once('-') {
            Some((first, last)) => (port(first)?, port(last)?),
            None => (port(text)?, port(text)?),
        };
        if first > last {
            return Err(format!("is no range: write {last}-{first}"));
        }
        Ok(Self { first, last })
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            return write!(f, "{}", self.first);
        }
        write!(f, "{}-{}", self.first, self.last)
    }
}

impl Serialize for PortRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read_and_written_back() {
        for text in ["1", "65535", "9000-9010"] {
            assert_eq!(text.parse::<PortRange>().unwrap().to_string(), text);
        }
        assert_eq!(" 9000 - 9001 ".parse::<PortRange>().unwrap().ports().collect::<Vec<_>>(), [9000, 9001]);
        for bad in ["0", "65536", "", "-1", "9010-9000", "a", "1-2-3", "80,81"] {
            assert!(bad.parse::<PortRange>().is_err(), "{bad}");
        }
    }
}
