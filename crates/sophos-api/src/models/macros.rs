//! The macros that declare wire models: structs of optional fields, and enumerations
//! that keep unknown values.

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
            #[serde(deserialize_with = "crate::models::lenient::required_id")]
            pub $member: $type,] $($rest)* }
    };
    (@struct $case:literal [$($doc:tt)*] $name:ident [$($done:tt)*]
        $(#[$attribute:meta])* $member:ident as id: $type:ty, $($rest:tt)*) => {
        model! { @struct $case [$($doc)*] $name [$($done)*
            $(#[$attribute])*
            #[serde(default, deserialize_with = "crate::models::lenient::lenient_id",
                    skip_serializing_if = "Option::is_none")]
            pub $member: Option<$type>,] $($rest)* }
    };
    (@struct $case:literal [$($doc:tt)*] $name:ident [$($done:tt)*]
        $(#[$attribute:meta])* $member:ident: $type:ty, $($rest:tt)*) => {
        model! { @struct $case [$($doc)*] $name [$($done)*
            $(#[$attribute])*
            #[serde(default, deserialize_with = "crate::models::lenient::lenient",
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
        impl $crate::operation::tested::Sample for $name {
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
        impl $crate::operation::tested::Sample for $name {
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
