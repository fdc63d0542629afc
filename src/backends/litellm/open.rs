//! Documents of the OpenAI protocol: known fields typed, unknown ones kept as they came.
//!
//! Servers add fields at will (`provider_specific_fields`, `reasoning_content`, `timings`): none may be lost, and none
//! may break the reading of the others. serde's `flatten` cannot do it: it buffers, and a raw value does not survive a
//! buffer.

use indexmap::IndexMap;
use serde_json::value::RawValue;

/// Fields that this library does not know, by name, as the JSON that came.
pub type Extra = IndexMap<String, Box<RawValue>>;

/// Whether a field says anything, so that it is written at all.
pub(super) trait Present {
    fn is_present(&self) -> bool;
}

impl<T> Present for Option<T> {
    fn is_present(&self) -> bool {
        self.is_some()
    }
}

impl<T> Present for Vec<T> {
    fn is_present(&self) -> bool {
        !self.is_empty()
    }
}

impl Present for String {
    fn is_present(&self) -> bool {
        !self.is_empty()
    }
}

impl Present for u32 {
    fn is_present(&self) -> bool {
        true
    }
}

/// Makes a struct whose known fields are typed and default when absent or `null`, and which keeps the others in
/// `extra`. It can be read by serde_json only, and not from inside a `flatten` or an untagged enum.
macro_rules! open_struct {
    ($(#[$meta:meta])* pub struct $name:ident {
        $($(#[$doc:meta])* $field:ident: $type:ty = $key:literal,)*
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$doc])* pub $field: $type,)*
            /// Fields that this library does not know, as they came.
            pub extra: $crate::backends::litellm::open::Extra,
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl<'de> serde::de::Visitor<'de> for Visitor {
                    type Value = $name;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str(concat!("an object (", stringify!($name), ")"))
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<$name, A::Error> {
                        let mut out = $name::default();
                        while let Some(key) = map.next_key::<String>()? {
                            match key.as_str() {
                                $($key => {
                                    out.$field = map.next_value::<Option<$type>>()?.unwrap_or_default();
                                })*
                                _ => {
                                    out.extra.insert(key, map.next_value()?);
                                }
                            }
                        }
                        Ok(out)
                    }
                }
                deserializer.deserialize_map(Visitor)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeMap;
                #[allow(unused_imports, reason = "a struct may have required fields only")]
                use $crate::backends::litellm::open::Present;
                let mut map = serializer.serialize_map(None)?;
                $(if self.$field.is_present() {
                    map.serialize_entry($key, &self.$field)?;
                })*
                for (name, value) in &self.extra {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    };
}

pub(super) use open_struct;
