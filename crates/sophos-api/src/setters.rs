//! The setters of a struct, derived from its fields.

/// Declares a struct with public fields, and one chained setter for each field
/// that is an `Option` or a `Vec`, of the same name. A text is given as anything
/// that converts into a `String`, a list as any iterator. Other fields get a
/// setter only if they are `u32` or `Duration`.
macro_rules! with_setters {
    ($(#[$meta:meta])* pub struct $name:ident {
        $($(#[$field_meta:meta])* pub $field:ident: $outer:ident $(<$inner:ident>)?,)*
    }) => {
        $(#[$meta])*
        pub struct $name {
            $($(#[$field_meta])* pub $field: $outer $(<$inner>)?,)*
        }

        impl $name {
            $($crate::setters::setter! { [$(#[$field_meta])*] $field $outer $($inner)? })*
        }
    };
}

macro_rules! setter {
    ([$($meta:tt)*] $field:ident Option String) => {
        $($meta)*
        #[must_use]
        pub fn $field(mut self, value: impl Into<String>) -> Self {
            self.$field = Some(value.into());
            self
        }
    };
    ([$($meta:tt)*] $field:ident Option $type:ident) => {
        $($meta)*
        #[must_use]
        pub fn $field(mut self, value: $type) -> Self {
            self.$field = Some(value);
            self
        }
    };
    ([$($meta:tt)*] $field:ident Vec String) => {
        $($meta)*
        #[must_use]
        pub fn $field(mut self, values: impl IntoIterator<Item = impl Into<String>>) -> Self {
            self.$field = values.into_iter().map(Into::into).collect();
            self
        }
    };
    ([$($meta:tt)*] $field:ident Vec $type:ident) => {
        $($meta)*
        #[must_use]
        pub fn $field(mut self, values: impl IntoIterator<Item = $type>) -> Self {
            self.$field = values.into_iter().collect();
            self
        }
    };
    ([$($meta:tt)*] $field:ident u32) => { $crate::setters::setter! { @plain [$($meta)*] $field u32 } };
    ([$($meta:tt)*] $field:ident Duration) => {
        $crate::setters::setter! { @plain [$($meta)*] $field Duration }
    };
    (@plain [$($meta:tt)*] $field:ident $type:ident) => {
        $($meta)*
        #[must_use]
        pub fn $field(mut self, value: $type) -> Self {
            self.$field = value;
            self
        }
    };
    // A required field: the constructor takes it.
    ([$($meta:tt)*] $($required:ident)+) => {};
}

pub(crate) use {setter, with_setters};
