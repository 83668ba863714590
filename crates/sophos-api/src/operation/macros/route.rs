//! The macros of an operation's route and bounds.

/// The route of an operation.
macro_rules! route {
    (@base GET $path:literal) => { $crate::Route::get($path) };
    (@base POST $path:literal) => { $crate::Route::post($path) };
    (@base PUT $path:literal) => { $crate::Route::put($path) };
    (@base PATCH $path:literal) => { $crate::Route::patch($path) };
    (@base DELETE $path:literal) => { $crate::Route::delete($path) };
    ($method:ident $path:literal (tenant)) => { $crate::operation::macros::route::route!(@base $method $path) };
    ($method:ident $path:literal (tenant replaced_by $replacement:literal)) => {
        $crate::operation::macros::route::route!(@base $method $path).replaced_by($replacement)
    };
    ($method:ident $path:literal (tenant global)) => {
        $crate::operation::macros::route::route!(@base $method $path).global($crate::ScopeHeader::Tenant)
    };
    ($method:ident $path:literal (partner global)) => {
        $crate::operation::macros::route::route!(@base $method $path).global($crate::ScopeHeader::Partner)
    };
    ($method:ident $path:literal (organization global)) => {
        $crate::operation::macros::route::route!(@base $method $path).global($crate::ScopeHeader::Organization)
    };
    ($method:ident $path:literal (distributor global)) => {
        $crate::operation::macros::route::route!(@base $method $path).global($crate::ScopeHeader::Distributor)
    };
    ($method:ident $path:literal (tenant or partner)) => {
        $crate::operation::macros::route::route!(@base $method $path).scoped($crate::ScopeHeader::TenantOrPartner)
    };
    ($method:ident $path:literal (tenant or partner global)) => {
        $crate::operation::macros::route::route!(@base $method $path).global($crate::ScopeHeader::TenantOrPartner)
    };
    ($method:ident $path:literal (tenant or owner global)) => {
        $crate::operation::macros::route::route!(@base $method $path).global($crate::ScopeHeader::TenantOrOwner)
    };
    ($method:ident $path:literal ($($scope:ident)+, header $name:literal = $field:ident)) => {
        $crate::operation::macros::route::route!($method $path ($($scope)+)).with_header(stringify!($field), $name)
    };
    ($method:ident $path:literal ($($scope:ident)+, $permission:literal)) => {
        $crate::operation::macros::route::route!($method $path ($($scope)+)).with_permission($permission)
    };
    ($method:ident $path:literal (none global)) => {
        $crate::operation::macros::route::route!(@base $method $path).global($crate::ScopeHeader::None)
    };
}

/// Checks the bounds of fields.
macro_rules! validate {
    ($($field:ident: $range:expr,)* $(..$check:path)?) => {
        fn validate(&self) -> Result<(), $crate::Error> {
            $($crate::operation::checks::check_field(&self.$field, stringify!($field), &$range)?;)*
            $($check(self)?;)?
            Ok(())
        }
    };
}

pub(crate) use {route, validate};
