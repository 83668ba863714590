//! The macro that declares a published operation.

pub(crate) mod page;
pub(crate) mod route;

/// Declares an operation: a struct of its parameters, its constructor and setters,
/// its route and its response.
///
/// ```text
/// operation! {
///     /// Changes an administrator's role.
///     pub struct AssignRole = POST "/common/v1/admins/:adminId/role-assignments" (tenant) -> Admin {
///         /// The administrator's id.
///         admin_id!: String,
///         /// The ids of the roles.
///         role_ids: [String],
///         /// The fields to return.
///         query fields: [String],
///     }
/// }
/// ```
///
/// `name!: Type` and the list `name!: [Type]` are required, and parameters of `new`.
/// `name: Type` is optional, `name: [Type]` a list, both with a setter of the same name.
/// Names are camelCase on the wire, or as in `name ("wire_name"): Type`. A required field
/// with `#[serde(flatten)]` holds parameters of any name. `query` puts a field into the
/// query of a method that has a body.
///
/// The scope is `tenant`, `partner`, `organization`, `distributor` or `none`, and after
/// `global` the host is the global one. `tenant or partner` and `tenant or owner` leave
/// the choice to the client that sends it. A literal after the scope is the permission of
/// the published specification; `header "accept-language" = field` puts a field into a
/// header. After `replaced_by` stands the operation for a tenant that has moved to Fusion.
///
/// A listing of `NumberedPage`, `KeyedPage` or `CursorPage` is [`Paged`](crate::Paged). An
/// item that is not JSON does not affect the others; with `strict` after the response, it
/// fails the page.
///
/// A clause `where { name: 1..=50, ..Self::check }` bounds fields before anything is
/// sent: the value of a number, the characters of a text, the items of a list. It ends
/// with a function that checks the rest, if there is one.
macro_rules! operation {
    ($(#[doc = $doc:literal])* pub struct $name:ident = $method:ident $path:literal ($($scope:tt)+)
        -> $response:ident $(<$item:ty>)? $($strict:ident)? { $($fields:tt)* } $(where { $($bounds:tt)* })?) => {
        operation! { @fields [$(#[doc = $doc])*] $name [] [] [] [] [] [] $($fields)* }

        impl $crate::Operation for $name {
            type Response = $response $(<$item>)?;
            const ROUTE: $crate::Route =
                $crate::operation::macros::route::route!($method $path ($($scope)+)).with_query(Self::QUERY);

            $crate::operation::macros::page::parse_page! { $response $(<$item>)? $($strict)? }

            $($crate::operation::macros::route::validate! { $($bounds)* })?
        }

        $crate::operation::macros::page::paged! { $name $response $(<$item>)? }

        #[cfg(feature = "catalog")]
        impl $crate::catalog::Described for $name {
            const DOCUMENTATION: &'static str = $crate::catalog::doc_text!($($doc)*);
            const PARAMETERS: &'static [$crate::catalog::ParameterName] = Self::FIELDS;
            const PAGING: $crate::catalog::Paging = $crate::operation::macros::page::paging!($response);
        }
    };

    // An operation without required values has a default.
    (@default $name:ident []) => {
        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }
    };
    (@default $name:ident [$($parameters:tt)+]) => {};

    // @fields docs name [struct fields] [parameters] [values] [setters] [query] [names]
    (@fields [$($doc:tt)*] $name:ident [$($done:tt)*] [$($parameters:tt)*] [$($values:tt)*] [$($setters:tt)*]
        [$($query:tt)*] [$($names:tt)*] $(#[$meta:meta])* query $field:ident: $($rest:tt)*) => {
        operation! { @fields [$($doc)*] $name [$($done)*] [$($parameters)*] [$($values)*] [$($setters)*]
            [$($query)* stringify!($field),] [$($names)*] $(#[$meta])* $field: $($rest)* }
    };
    (@fields [$($doc:tt)*] $name:ident [$($done:tt)*] [$($parameters:tt)*] [$($values:tt)*] [$($setters:tt)*]
        [$($query:tt)*] [$($names:tt)*] $(#[$meta:meta])* $field:ident ($wire:literal): [$type:ident], $($rest:tt)*) => {
        operation! { @fields [$($doc)*] $name
            [$($done)* $(#[$meta])* #[serde(rename = $wire)] #[cfg_attr(feature = "catalog", serde(default))]
                pub $field: Vec<$type>,]
            [$($parameters)*] [$($values)* $field: Vec::new(),]
            [$($setters)* [$(#[$meta])*] $field many [$type];] [$($query)*] [$($names)* [$field $wire]] $($rest)* }
    };
    (@fields [$($doc:tt)*] $name:ident [$($done:tt)*] [$($parameters:tt)*] [$($values:tt)*] [$($setters:tt)*]
        [$($query:tt)*] [$($names:tt)*] $(#[$meta:meta])* $field:ident ($wire:literal): $type:ty, $($rest:tt)*) => {
        operation! { @fields [$($doc)*] $name
            [$($done)* $(#[$meta])* #[serde(rename = $wire)] pub $field: Option<$type>,]
            [$($parameters)*] [$($values)* $field: None,]
            [$($setters)* [$(#[$meta])*] $field one [$type];] [$($query)*] [$($names)* [$field $wire]] $($rest)* }
    };
    (@fields [$($doc:tt)*] $name:ident [$($done:tt)*] [$($parameters:tt)*] [$($values:tt)*] [$($setters:tt)*]
        [$($query:tt)*] [$($names:tt)*] $(#[doc = $text:literal])* #[serde(flatten)] $field:ident!: $type:ty, $($rest:tt)*) => {
        operation! { @fields [$($doc)*] $name
            [$($done)* $(#[doc = $text])* #[serde(flatten)] pub $field: $type,]
            [$($parameters)* $field: $type,] [$($values)* $field,] [$($setters)*]
            [$($query)*] [$($names)* [$field ..]] $($rest)* }
    };
    (@fields [$($doc:tt)*] $name:ident [$($done:tt)*] [$($parameters:tt)*] [$($values:tt)*] [$($setters:tt)*]
        [$($query:tt)*] [$($names:tt)*] $(#[$meta:meta])* query $field:ident!: $($rest:tt)*) => {
        operation! { @fields [$($doc)*] $name [$($done)*] [$($parameters)*] [$($values)*] [$($setters)*]
            [$($query)* stringify!($field),] [$($names)*] $(#[$meta])* $field!: $($rest)* }
    };
    (@fields [$($doc:tt)*] $name:ident [$($done:tt)*] [$($parameters:tt)*] [$($values:tt)*] [$($setters:tt)*]
        [$($query:tt)*] [$($names:tt)*] $(#[$meta:meta])* $field:ident!: [String], $($rest:tt)*) => {
        operation! { @fields [$($doc)*] $name [$($done)* $(#[$meta])* pub $field: Vec<String>,]
            [$($parameters)* $field: impl IntoIterator<Item = impl Into<String>>,]
            [$($values)* $field: $field.into_iter().map(Into::into).collect(),] [$($setters)*]
            [$($query)*] [$($names)* [$field]] $($rest)* }
    };
    (@fields [$($doc:tt)*] $name:ident [$($done:tt)*] [$($parameters:tt)*] [$($values:tt)*] [$($setters:tt)*]
        [$($query:tt)*] [$($names:tt)*] $(#[$meta:meta])* $field:ident!: [$type:ty], $($rest:tt)*) => {
        operation! { @fields [$($doc)*] $name [$($done)* $(#[$meta])* pub $field: Vec<$type>,]
            [$($parameters)* $field: impl IntoIterator<Item = $type>,]
            [$($values)* $field: $field.into_iter().collect(),] [$($setters)*]
            [$($query)*] [$($names)* [$field]] $($rest)* }
    };
    (@fields [$($doc:tt)*] $name:ident [$($done:tt)*] [$($parameters:tt)*] [$($values:tt)*] [$($setters:tt)*]
        [$($query:tt)*] [$($names:tt)*] $(#[$meta:meta])* $field:ident!: String, $($rest:tt)*) => {
        operation! { @fields [$($doc)*] $name [$($done)* $(#[$meta])* pub $field: String,]
            [$($parameters)* $field: impl Into<String>,] [$($values)* $field: $field.into(),] [$($setters)*]
            [$($query)*] [$($names)* [$field]] $($rest)* }
    };
    (@fields [$($doc:tt)*] $name:ident [$($done:tt)*] [$($parameters:tt)*] [$($values:tt)*] [$($setters:tt)*]
        [$($query:tt)*] [$($names:tt)*] $(#[$meta:meta])* $field:ident!: Timestamp, $($rest:tt)*) => {
        operation! { @fields [$($doc)*] $name [$($done)* $(#[$meta])* pub $field: Timestamp,]
            [$($parameters)* $field: impl Into<Timestamp>,] [$($values)* $field: $field.into(),] [$($setters)*]
            [$($query)*] [$($names)* [$field]] $($rest)* }
    };
    (@fields [$($doc:tt)*] $name:ident [$($done:tt)*] [$($parameters:tt)*] [$($values:tt)*] [$($setters:tt)*]
        [$($query:tt)*] [$($names:tt)*] $(#[$meta:meta])* $field:ident!: $type:ty, $($rest:tt)*) => {
        operation! { @fields [$($doc)*] $name [$($done)* $(#[$meta])* pub $field: $type,]
            [$($parameters)* $field: $type,] [$($values)* $field,] [$($setters)*] [$($query)*] [$($names)* [$field]] $($rest)* }
    };
    (@fields [$($doc:tt)*] $name:ident [$($done:tt)*] [$($parameters:tt)*] [$($values:tt)*] [$($setters:tt)*]
        [$($query:tt)*] [$($names:tt)*] $(#[$meta:meta])* $field:ident: [$type:ident], $($rest:tt)*) => {
        operation! { @fields [$($doc)*] $name
            [$($done)* $(#[$meta])* #[cfg_attr(feature = "catalog", serde(default))] pub $field: Vec<$type>,]
            [$($parameters)*] [$($values)* $field: Vec::new(),]
            [$($setters)* [$(#[$meta])*] $field many [$type];] [$($query)*] [$($names)* [$field]] $($rest)* }
    };
    (@fields [$($doc:tt)*] $name:ident [$($done:tt)*] [$($parameters:tt)*] [$($values:tt)*] [$($setters:tt)*]
        [$($query:tt)*] [$($names:tt)*] $(#[$meta:meta])* $field:ident: [$type:ty], $($rest:tt)*) => {
        operation! { @fields [$($doc)*] $name
            [$($done)* $(#[$meta])* #[cfg_attr(feature = "catalog", serde(default))] pub $field: Vec<$type>,]
            [$($parameters)*] [$($values)* $field: Vec::new(),]
            [$($setters)* [$(#[$meta])*] $field many [$type];] [$($query)*] [$($names)* [$field]] $($rest)* }
    };
    (@fields [$($doc:tt)*] $name:ident [$($done:tt)*] [$($parameters:tt)*] [$($values:tt)*] [$($setters:tt)*]
        [$($query:tt)*] [$($names:tt)*] $(#[$meta:meta])* $field:ident: $type:ident, $($rest:tt)*) => {
        operation! { @fields [$($doc)*] $name [$($done)* $(#[$meta])* pub $field: Option<$type>,]
            [$($parameters)*] [$($values)* $field: None,]
            [$($setters)* [$(#[$meta])*] $field one [$type];] [$($query)*] [$($names)* [$field]] $($rest)* }
    };
    (@fields [$($doc:tt)*] $name:ident [$($done:tt)*] [$($parameters:tt)*] [$($values:tt)*] [$($setters:tt)*]
        [$($query:tt)*] [$($names:tt)*] $(#[$meta:meta])* $field:ident: $type:ty, $($rest:tt)*) => {
        operation! { @fields [$($doc)*] $name [$($done)* $(#[$meta])* pub $field: Option<$type>,]
            [$($parameters)*] [$($values)* $field: None,]
            [$($setters)* [$(#[$meta])*] $field one [$type];] [$($query)*] [$($names)* [$field]] $($rest)* }
    };
    (@fields [$($doc:tt)*] $name:ident [$($done:tt)*] [$($parameters:tt)*] [$($values:tt)*]
        [$([$($meta:tt)*] $field:ident $kind:ident [$($type:tt)*];)*] [$($query:tt)*]
        [$([$name_of:ident $($wire:tt)?])*]) => {
        $($doc)*
        #[derive(Debug, Clone, PartialEq, ::serde::Serialize)]
        #[cfg_attr(feature = "catalog", derive(::serde::Deserialize, ::schemars::JsonSchema))]
        #[serde(rename_all = "camelCase")]
        #[non_exhaustive]
        pub struct $name { $($done)* }

        // `add` is a field of some requests.
        #[allow(clippy::should_implement_trait)]
        impl $name {
            /// The fields that go into the query although the method has a body.
            const QUERY: &'static [&'static str] = &[$($query)*];

            /// The names of the fields on the wire.
            #[cfg(feature = "catalog")]
            const FIELDS: &'static [$crate::catalog::ParameterName] =
                &[$($crate::operation::macros::parameter_name!($name_of $($wire)?),)*];

            /// Creates the operation from its required values.
            pub fn new($($parameters)*) -> Self {
                Self { $($values)* }
            }

            $($crate::operation::macros::setter! { [$($meta)*] $field $kind [$($type)*] })*
        }

        operation! { @default $name [$($parameters)*] }

        #[cfg(test)]
        impl $crate::operation::tested::Sample for $name {
            fn sample() -> Self {
                Self { $($name_of: $crate::operation::tested::Sample::sample(),)* }
            }
        }
    };
}

/// Lists the operations of a file: for the tests, and for the catalog.
macro_rules! listed {
    ($($name:ident)*) => {
        #[cfg(test)]
        pub(crate) const TESTED: &[$crate::operation::tested::TestedOperation] =
            &[$($crate::operation::tested::TestedOperation::new::<$name>(stringify!($name)),)*];

        #[cfg(feature = "catalog")]
        pub(crate) const DESCRIBED: &[$crate::catalog::OperationDescription] =
            &[$($crate::catalog::OperationDescription::new::<$name>(stringify!($name)),)*];
    };
}

/// Declares the files of a family, and lists their operations.
macro_rules! files {
    ($($file:ident)*) => {
        $(pub mod $file;)*

        #[cfg(test)]
        pub(super) const TESTED: &[&[$crate::operation::tested::TestedOperation]] = &[$($file::TESTED,)*];

        #[cfg(feature = "catalog")]
        pub(super) const DESCRIBED: &[&[$crate::catalog::OperationDescription]] = &[$($file::DESCRIBED,)*];
    };
}

/// Declares the families of operations, each with its Cargo feature, and lists them. A
/// family of one file needs no folder.
macro_rules! families {
    (files { $($file:ident)* } always { $($core:ident)* } $($feature:literal $family:ident)*) => {
        $(pub mod $file;)*
        $(pub mod $core;)*
        $(#[cfg(feature = $feature)] pub mod $family;)*

        #[cfg(test)]
        const TESTED: &[&[&[$crate::operation::tested::TestedOperation]]] =
            &[&[$($file::TESTED,)*], $($core::TESTED,)* $(#[cfg(feature = $feature)] $family::TESTED,)*];

        #[cfg(feature = "catalog")]
        pub(crate) const DESCRIBED: &[&[&[$crate::catalog::OperationDescription]]] =
            &[&[$($file::DESCRIBED,)*], $($core::DESCRIBED,)* $(#[cfg(feature = $feature)] $family::DESCRIBED,)*];
    };
}

/// One chained setter.
macro_rules! setter {
    ([$($meta:tt)*] $field:ident one [String]) => {
        $($meta)*
        #[must_use]
        pub fn $field(mut self, value: impl Into<String>) -> Self {
            self.$field = Some(value.into());
            self
        }
    };
    ([$($meta:tt)*] $field:ident one [Timestamp]) => {
        $($meta)*
        #[must_use]
        pub fn $field(mut self, value: impl Into<Timestamp>) -> Self {
            self.$field = Some(value.into());
            self
        }
    };
    ([$($meta:tt)*] $field:ident one [$type:ty]) => {
        $($meta)*
        #[must_use]
        pub fn $field(mut self, value: $type) -> Self {
            self.$field = Some(value);
            self
        }
    };
    ([$($meta:tt)*] $field:ident many [String]) => {
        $($meta)*
        #[must_use]
        pub fn $field(mut self, values: impl IntoIterator<Item = impl Into<String>>) -> Self {
            self.$field = values.into_iter().map(Into::into).collect();
            self
        }
    };
    ([$($meta:tt)*] $field:ident many [$type:ty]) => {
        $($meta)*
        #[must_use]
        pub fn $field(mut self, values: impl IntoIterator<Item = $type>) -> Self {
            self.$field = values.into_iter().collect();
            self
        }
    };
}

/// The name of a field on the wire.
#[cfg(feature = "catalog")]
macro_rules! parameter_name {
    ($field:ident) => {
        $crate::catalog::ParameterName::CamelCase(stringify!($field))
    };
    ($field:ident $wire:literal) => {
        $crate::catalog::ParameterName::Exact($wire)
    };
    ($field:ident ..) => {
        $crate::catalog::ParameterName::Any
    };
}

#[cfg(feature = "catalog")]
pub(crate) use parameter_name;
pub(crate) use {families, files, listed, operation, setter};
