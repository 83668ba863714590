//! A protected machine whose name has several spellings in the policy, in Sophos Central and in the
//! alert. No alert isolates it.

#[path = "../fuzz/src/names.rs"]
#[allow(unreachable_pub)]
mod names;
#[path = "../fuzz/src/spellings.rs"]
#[allow(unreachable_pub)]
mod spellings;

use std::cell::Cell;

use names::{Case, RawSpelling, Spelling, check, check_ordinary_names, check_texts};
use proptest::{collection::vec, option, prelude::*, test_runner::TestRunner};

fn spelling() -> impl Strategy<Value = RawSpelling> {
    (any::<u8>(), prop::bool::weighted(0.1), vec(any::<(u8, u8)>(), 0..4))
}

/// Runs this many cases, or the number in the environment.
fn runner(cases: u32) -> TestRunner {
    let fixed = std::env::var_os("PROPTEST_CASES").is_some();
    let cases = if fixed { ProptestConfig::default().cases } else { cases };
    TestRunner::new(ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() })
}

#[test]
fn protected_machine_is_never_isolated() {
    let (tried, resolved) = (Cell::new(0_u32), Cell::new(0_u32));
    let names = (spelling(), spelling(), spelling());
    let input = (any::<(u8, u8)>(), option::of(any::<(u8, u8)>()), names, any::<u8>());
    let outcome = runner(5_000).run(&input, |(machines, pattern, (listed, own, said), flags)| {
        let is_found = check(&Case::from((machines, pattern, listed, own, said, flags)));
        tried.set(tried.get() + 1);
        resolved.set(resolved.get() + u32::from(is_found));
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    let (tried, resolved) = (tried.get(), resolved.get());
    println!("{tried} alerts, {resolved} resolved to the protected machine, 0 isolated");
    assert!(resolved * 10 > tried, "only {resolved} of {tried} alerts are resolved: the test proves little");
}

#[test]
fn protected_names_match_no_ordinary_machine() {
    let names = vec((any::<u8>(), spelling().prop_map(Spelling::from)), 1..4);
    let outcome = runner(1_000).run(&(names, any::<u8>()), |(names, other)| {
        check_ordinary_names(&names, other);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

#[test]
fn protected_names_match_their_own_spellings() {
    let outcome = runner(1_000).run(&("\\PC{0,20}", "\\PC{0,20}"), |(listed, own)| {
        check_texts(&listed, &own);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}
