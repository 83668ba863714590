//! The macros and readers of the wire models: structs of optional fields, and
//! enumerations that keep unknown values.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::with_raw::Raw;

/// The longest field that a model reads, in bytes. A value takes many times the
/// memory of its text.
const MAX_MEMBER_LEN: usize = 1 << 20;

/// The most items of a list. The largest page of the service has 1,000.
const MAX_ITEMS: usize = 20_000;

/// Reads a field leniently. `None` stands for null, a value of another type than
/// documented, and one of more than a MiB. The record's JSON still holds it.
pub(crate) fn lenient<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    let raw = Some(raw.get()).filter(|raw| raw.len() <= MAX_MEMBER_LEN);
    Ok(raw.and_then(|raw| serde_json::from_str(raw).ok()))
}

/// Reads an id: a text, or the digits of a number of any size.
pub(crate) fn required_id<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: From<String>,
{
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    id_text(&raw).map(T::from).ok_or_else(|| D::Error::custom("invalid id: expected a text or a number"))
}

/// Reads an id leniently.
pub(crate) fn lenient_id<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: From<String>,
{
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    Ok(id_text(&raw).map(T::from))
}

/// The text of an id as the service wrote it.
fn id_text(raw: &RawValue) -> Option<String> {
    let text = raw.get();
    match text.as_bytes().first()? {
        b'"' => serde_json::from_str(text).ok(),
        b'-' | b'0'..=b'9' => Some(text.to_owned()),
        _ => None,
    }
}

/// Reads the items of a page, up to a bound: each takes memory, which an unexpected
/// response could exhaust. Null means no items.
pub(crate) fn items<'de, D, T>(deserializer: D) -> Result<Vec<Raw<T>>, D::Error>
where
    D: Deserializer<'de>,
{
    Ok(raw_items(deserializer)?.into_iter().map(Raw::new).collect())
}

/// It is not generic over the items, so that it is compiled once.
fn raw_items<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Box<RawValue>>, D::Error> {
    struct Items;

    impl<'de> Visitor<'de> for Items {
        type Value = Vec<Box<RawValue>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a list of at most {MAX_ITEMS} items")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Vec::new())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut items = Vec::new();
            while let Some(item) = list.next_element()? {
                if items.len() == MAX_ITEMS {
                    return Err(A::Error::invalid_length(items.len() + 1, &self));
                }
                items.push(item);
            }
            Ok(items)
        }
    }

    deserializer.deserialize_any(Items)
}

/// Reads a value, and null as the default.
pub(crate) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Reads a list leniently: it omits an item that is not as documented.
pub(crate) fn lenient_list<'de, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    struct List(Vec<Box<RawValue>>);

    impl<'de> Deserialize<'de> for List {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            raw_items(deserializer).map(Self)
        }
    }

    let raw = Option::<Box<RawValue>>::deserialize(deserializer)?;
    let list: Option<List> = raw.and_then(|raw| serde_json::from_str(raw.get()).ok());
    Ok(list
        .map(|List(items)| items.iter().filter_map(|item| serde_json::from_str(item.get()).ok()).collect()))
}

/// Declares a wire model. `name: Type` is an optional field, an `Option<Type>`.
/// `name as id: Type` is one whose value may be a number. `name!: Type` is a required
/// id. Names are camelCase on the wire, or as in `in "snake_case"`. After
/// `with setters` each optional field has a chained setter, for models in requests.
macro_rules! model {
    ($(#[$doc:meta])* pub struct $name:ident { $($members:tt)* }) => {
        model! { @struct "camelCase" [$(#[$doc])*] $name [] $($members)* }
    };
    ($(#[$doc:meta])* pub struct $name:ident in $case:literal { $($members:tt)* }) => {
        model! { @struct $case [$(#[$doc])*] $name [] $($members)* }
    };
    ($(#[$doc:meta])* pub struct $name:ident with setters { $($members:tt)* }) => {
        model! { @struct "camelCase" [$(#[$doc])*] $name [] $($members)* }
        model! { @setters $name [] $($members)* }
    };
    (@setters $name:ident [$($done:tt)*]
        $(#[doc = $doc:literal])* $(#[serde($($serde:tt)*)])* $member:ident as id: $type:ty, $($rest:tt)*) => {
        model! { @setters $name [$($done)* [$(#[doc = $doc])*] $member [$type];] $($rest)* }
    };
    (@setters $name:ident [$($done:tt)*]
        $(#[doc = $doc:literal])* $(#[serde($($serde:tt)*)])* $member:ident: $type:ty, $($rest:tt)*) => {
        model! { @setters $name [$($done)* [$(#[doc = $doc])*] $member [$type];] $($rest)* }
    };
    (@setters $name:ident [$([$($doc:tt)*] $member:ident [$type:ty];)*]) => {
        // `add` is a field of some requests.
        #[allow(clippy::should_implement_trait)]
        impl $name {
            $(
                $($doc)*
                #[must_use]
                pub fn $member(mut self, value: impl Into<$type>) -> Self {
                    self.$member = Some(value.into());
                    self
                }
            )*
        }
    };
    (@struct $case:literal [$($doc:tt)*] $name:ident [$($done:tt)*]
        $(#[$attribute:meta])* $member:ident!: $type:ty, $($rest:tt)*) => {
        model! { @struct $case [$($doc)*] $name [$($done)*
            $(#[$attribute])*
            #[serde(deserialize_with = "crate::model::required_id")]
            pub $member: $type,] $($rest)* }
    };
    (@struct $case:literal [$($doc:tt)*] $name:ident [$($done:tt)*]
        $(#[$attribute:meta])* $member:ident as id: $type:ty, $($rest:tt)*) => {
        model! { @struct $case [$($doc)*] $name [$($done)*
            $(#[$attribute])*
            #[serde(default, deserialize_with = "crate::model::lenient_id",
                    skip_serializing_if = "Option::is_none")]
            pub $member: Option<$type>,] $($rest)* }
    };
    (@struct $case:literal [$($doc:tt)*] $name:ident [$($done:tt)*]
        $(#[$attribute:meta])* $member:ident: $type:ty, $($rest:tt)*) => {
        model! { @struct $case [$($doc)*] $name [$($done)*
            $(#[$attribute])*
            #[serde(default, deserialize_with = "crate::model::lenient",
                    skip_serializing_if = "Option::is_none")]
            pub $member: Option<$type>,] $($rest)* }
    };
    (@struct $case:literal [$($doc:tt)*] $name:ident [$($done:tt)*]) => {
        #[derive(Debug, Clone, Default, PartialEq, ::serde::Serialize, ::serde::Deserialize)]
        #[cfg_attr(feature = "catalog", derive(::schemars::JsonSchema))]
        $($doc)*
        #[serde(rename_all = $case)]
        #[non_exhaustive]
        pub struct $name { $($done)* }

        #[cfg(test)]
        impl $crate::tested_operation::Sample for $name {
            fn sample() -> Self {
                Self::default()
            }
        }
    };
}

/// Declares an enumeration of the service. `_Unknown` keeps any other value, which
/// `as_str` returns and serialization writes.
macro_rules! open_enum {
    ($(#[doc = $doc_text:literal])* pub enum $name:ident {
        $($(#[$case_doc:meta])* $case:ident = $text:literal,)+
    }) => {
        $(#[doc = $doc_text])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$case_doc])* $case,)+
            #[doc(hidden)]
            _Unknown(Box<str>),
        }

        impl $name {
            /// The value as the service writes it, known or not.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$case => $text,)+
                    Self::_Unknown(text) => text,
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$case,)+
                    other => Self::_Unknown(other.into()),
                }
            }
        }

        #[cfg(test)]
        impl $crate::tested_operation::Sample for $name {
            fn sample() -> Self {
                Self::_Unknown("x".into())
            }
        }

        #[cfg(feature = "catalog")]
        impl ::schemars::JsonSchema for $name {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn schema_id() -> ::std::borrow::Cow<'static, str> {
                concat!(module_path!(), "::", stringify!($name)).into()
            }

            fn json_schema(_: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                let documentation = [$($doc_text),*].map(str::trim).join("\n");
                ::schemars::json_schema!({
                    "type": "string",
                    "description": documentation,
                    "x-extensible-enum": [$($text),+],
                })
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <::std::borrow::Cow<'de, str> as ::serde::Deserialize>::deserialize(deserializer)?;
                Ok(Self::from(text.as_ref()))
            }
        }
    };
}

pub(crate) use {model, open_enum};
