//! The schemas of the types whose form on the wire is not that of their fields.

use schemars::{JsonSchema, Schema, SchemaGenerator};

/// Describes a type of the service that is a text on the wire.
macro_rules! text_schema {
    ($($type:ty as $name:literal, $format:expr;)*) => {$(
        impl ::schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                let mut schema = ::schemars::json_schema!({ "type": "string" });
                let format: Option<&str> = $format;
                if let Some(format) = format {
                    schema.insert("format".to_owned(), format.into());
                }
                schema
            }
        }
    )*};
}

text_schema! {
    crate::Timestamp as "Timestamp", Some("date-time");
    crate::TenantId as "TenantId", None;
    crate::models::SecretText as "SecretText", Some("password");
}

impl JsonSchema for crate::models::SecretNumber {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SecretNumber".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        i64::json_schema(generator)
    }
}

/// Describes a wrapper by the type that it holds.
macro_rules! transparent_schema {
    ($($wrapper:ident)*) => {$(
        impl<T: JsonSchema> JsonSchema for crate::$wrapper<T> {
            fn inline_schema() -> bool {
                T::inline_schema()
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                T::schema_name()
            }

            fn schema_id() -> std::borrow::Cow<'static, str> {
                T::schema_id()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                T::json_schema(generator)
            }
        }
    )*};
}

transparent_schema! { Raw WithRaw }
