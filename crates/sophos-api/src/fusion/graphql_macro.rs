//! The macro that declares a GraphQL operation.

/// Declares an operation: a struct of the members of its argument, its constructor and
/// setters, its document and its response.
///
/// ```text
/// graphql! {
///     /// Gets a case.
///     query GetCase = case(arguments: CaseArguments) in "camelCase" -> WithRaw<Case> {
///         /// The case's id.
///         id!: String,
///     } ["id title"]
/// }
/// ```
///
/// `name!: Type` and the list `name!: [Type]` are required, and parameters of `new`.
/// `name: Type` is optional, `name: [Type]` a list that is not sent while it is empty,
/// and `name: Type = value` has a default. The brackets hold the selection, in parts.
/// The items of the trait that are not derived follow in braces.
macro_rules! graphql {
    ($(#[$doc:meta])* $kind:ident $name:ident = $field:ident($argument:ident: $input:ident) in $case:literal
        -> $response:ty { $($fields:tt)* } [$($selection:tt)*] $({ $($items:tt)* })?) => {
        graphql! { @fields [$(#[$doc])*] $case $name [] [] [] [] $($fields)* }

        impl $crate::fusion::GraphqlOperation for $name {
            type Response = $response;
            const KIND: $crate::fusion::GraphqlKind = graphql! { @kind $kind };
            const FIELD: &'static str = stringify!($field);
            const ARGUMENT: &'static str = stringify!($argument);
            const DOCUMENT: &'static str = concat!(
                stringify!($kind), " ", stringify!($name),
                "($", stringify!($argument), ": ", stringify!($input), "!) { ",
                stringify!($field), "(", stringify!($argument), ": $", stringify!($argument), ") { ",
                $($selection)*,
                " } }",
            );
            $($($items)*)?
        }
    };
    (@kind query) => { $crate::fusion::GraphqlKind::Query };
    (@kind mutation) => { $crate::fusion::GraphqlKind::Mutation };

    // @fields docs case name [struct fields] [parameters] [values] [setters]
    (@fields [$($doc:tt)*] $case:literal $name:ident [$($done:tt)*] [$($parameters:tt)*] [$($values:tt)*]
        [$($setters:tt)*] $(#[$meta:meta])* $field:ident!: String, $($rest:tt)*) => {
        graphql! { @fields [$($doc)*] $case $name [$($done)* $(#[$meta])* pub $field: String,]
            [$($parameters)* $field: impl Into<String>,] [$($values)* $field: $field.into(),]
            [$($setters)*] $($rest)* }
    };
    (@fields [$($doc:tt)*] $case:literal $name:ident [$($done:tt)*] [$($parameters:tt)*] [$($values:tt)*]
        [$($setters:tt)*] $(#[$meta:meta])* $field:ident!($wire:literal): [String], $($rest:tt)*) => {
        graphql! { @fields [$($doc)*] $case $name
            [$($done)* $(#[$meta])* #[serde(rename = $wire)] pub $field: Vec<String>,]
            [$($parameters)* $field: impl IntoIterator<Item = impl Into<String>>,]
            [$($values)* $field: $field.into_iter().map(Into::into).collect(),] [$($setters)*] $($rest)* }
    };
    (@fields [$($doc:tt)*] $case:literal $name:ident [$($done:tt)*] [$($parameters:tt)*] [$($values:tt)*]
        [$($setters:tt)*] $(#[$meta:meta])* $field:ident!: [String], $($rest:tt)*) => {
        graphql! { @fields [$($doc)*] $case $name [$($done)* $(#[$meta])* pub $field: Vec<String>,]
            [$($parameters)* $field: impl IntoIterator<Item = impl Into<String>>,]
            [$($values)* $field: $field.into_iter().map(Into::into).collect(),] [$($setters)*] $($rest)* }
    };
    (@fields [$($doc:tt)*] $case:literal $name:ident [$($done:tt)*] [$($parameters:tt)*] [$($values:tt)*]
        [$($setters:tt)*] $(#[$meta:meta])* $field:ident!: $type:ty, $($rest:tt)*) => {
        graphql! { @fields [$($doc)*] $case $name [$($done)* $(#[$meta])* pub $field: $type,]
            [$($parameters)* $field: $type,] [$($values)* $field,] [$($setters)*] $($rest)* }
    };
    (@fields [$($doc:tt)*] $case:literal $name:ident [$($done:tt)*] [$($parameters:tt)*] [$($values:tt)*]
        [$($setters:tt)*] $(#[$meta:meta])* $field:ident: [$type:ident], $($rest:tt)*) => {
        graphql! { @fields [$($doc)*] $case $name
            [$($done)* $(#[$meta])* #[serde(skip_serializing_if = "Vec::is_empty")] pub $field: Vec<$type>,]
            [$($parameters)*] [$($values)* $field: Vec::new(),]
            [$($setters)* [$(#[$meta])*] $field many [$type];] $($rest)* }
    };
    (@fields [$($doc:tt)*] $case:literal $name:ident [$($done:tt)*] [$($parameters:tt)*] [$($values:tt)*]
        [$($setters:tt)*] $(#[$meta:meta])* $field:ident: $type:ident = $default:expr, $($rest:tt)*) => {
        graphql! { @fields [$($doc)*] $case $name [$($done)* $(#[$meta])* pub $field: $type,]
            [$($parameters)*] [$($values)* $field: $default,]
            [$($setters)* [$(#[$meta])*] $field plain [$type];] $($rest)* }
    };
    (@fields [$($doc:tt)*] $case:literal $name:ident [$($done:tt)*] [$($parameters:tt)*] [$($values:tt)*]
        [$($setters:tt)*] $(#[$meta:meta])* $field:ident: $type:ident, $($rest:tt)*) => {
        graphql! { @fields [$($doc)*] $case $name
            [$($done)* $(#[$meta])* #[serde(skip_serializing_if = "Option::is_none")] pub $field: Option<$type>,]
            [$($parameters)*] [$($values)* $field: None,]
            [$($setters)* [$(#[$meta])*] $field one [$type];] $($rest)* }
    };
    (@fields [$($doc:tt)*] $case:literal $name:ident [$($done:tt)*] [$($parameters:tt)*] [$($values:tt)*]
        [$($setters:tt)*] $(#[$meta:meta])* $field:ident: $type:ty, $($rest:tt)*) => {
        graphql! { @fields [$($doc)*] $case $name
            [$($done)* $(#[$meta])* #[serde(skip_serializing_if = "Option::is_none")] pub $field: Option<$type>,]
            [$($parameters)*] [$($values)* $field: None,]
            [$($setters)* [$(#[$meta])*] $field one [$type];] $($rest)* }
    };
    (@fields [$($doc:tt)*] $case:literal $name:ident [$($done:tt)*] [$($parameters:tt)*] [$($values:tt)*]
        [$([$($meta:tt)*] $field:ident $kind:ident [$($type:tt)*];)*]) => {
        $($doc)*
        #[derive(Debug, Clone, PartialEq, ::serde::Serialize)]
        #[serde(rename_all = $case)]
        #[non_exhaustive]
        pub struct $name { $($done)* }

        impl $name {
            /// Creates the operation from its required values.
            #[allow(clippy::new_without_default)]
            pub fn new($($parameters)*) -> Self {
                Self { $($values)* }
            }

            $(graphql! { @setter [$($meta)*] $field $kind [$($type)*] })*
        }
    };
    (@setter [$($meta:tt)*] $field:ident plain [$type:ident]) => {
        $($meta)*
        #[must_use]
        pub fn $field(mut self, value: $type) -> Self {
            self.$field = value;
            self
        }
    };
    (@setter $($setter:tt)*) => { $crate::operation::macros::setter! { $($setter)* } };
}

/// Lists the documents of a file for a check against a schema.
macro_rules! documents {
    ($($name:ident)*) => {
        #[cfg(test)]
        pub(crate) const DOCUMENTS: &[&str] =
            &[$(<$name as $crate::fusion::GraphqlOperation>::DOCUMENT,)*];
    };
}

pub(crate) use {documents, graphql};
