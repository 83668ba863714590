//! What the wire models are made of: structs whose members are all optional,
//! and enumerations that keep what they do not know.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::value::RawValue;

/// Reads a member softly: null, or a value of another type than documented, is
/// `None`. The record's JSON still has it.
pub(crate) fn soft<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    Ok(serde_json::from_str(raw.get()).ok())
}

/// Reads null as the default.
pub(crate) fn nullable<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Reads a list softly: an item that is not as documented costs that item.
pub(crate) fn readable<'de, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let list: Option<Vec<Box<RawValue>>> = soft(deserializer)?;
    Ok(list.map(|items| items.iter().filter_map(|item| serde_json::from_str(item.get()).ok()).collect()))
}

/// Declares a wire model. `name: Type` is a member that may be missing and is
/// an `Option<Type>`; `name!: Type` is one without which the record means
/// nothing. Names are camelCase on the wire, or as `in "snake_case"` says.
macro_rules! model {
    ($(#[$doc:meta])* pub struct $name:ident { $($members:tt)* }) => {
        model! { @struct "camelCase" [$(#[$doc])*] $name [] $($members)* }
    };
    ($(#[$doc:meta])* pub struct $name:ident in $case:literal { $($members:tt)* }) => {
        model! { @struct $case [$(#[$doc])*] $name [] $($members)* }
    };
    (@struct $case:literal [$($doc:tt)*] $name:ident [$($done:tt)*]
        $(#[$attribute:meta])* $member:ident!: $type:ty, $($rest:tt)*) => {
        model! { @struct $case [$($doc)*] $name [$($done)*
            $(#[$attribute])* pub $member: $type,] $($rest)* }
    };
    (@struct $case:literal [$($doc:tt)*] $name:ident [$($done:tt)*]
        $(#[$attribute:meta])* $member:ident: $type:ty, $($rest:tt)*) => {
        model! { @struct $case [$($doc)*] $name [$($done)*
            $(#[$attribute])*
            #[serde(default, deserialize_with = "crate::model::soft",
                    skip_serializing_if = "Option::is_none")]
            pub $member: Option<$type>,] $($rest)* }
    };
    (@struct $case:literal [$($doc:tt)*] $name:ident [$($done:tt)*]) => {
        $($doc)*
        #[derive(Debug, Clone, Default, PartialEq, ::serde::Serialize, ::serde::Deserialize)]
        #[serde(rename_all = $case)]
        #[non_exhaustive]
        pub struct $name { $($done)* }
    };
}

/// Declares an enumeration of the service. A value that is not listed is kept
/// in `Unlisted`, and written again as it was read.
macro_rules! open_enum {
    ($(#[$doc:meta])* pub enum $name:ident { $($(#[$case_doc:meta])* $case:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$case_doc])* $case,)+
            /// A value that was not documented when this was written.
            Unlisted(Box<str>),
        }

        impl $name {
            /// The value as the service writes it.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$case => $text,)+
                    Self::Unlisted(text) => text,
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$case,)+
                    other => Self::Unlisted(other.into()),
                }
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
