//! `arco partitions list|show|add|remove`: dynamic partitions.

use arco_wire::api::{
    ChangeDynamicPartitions, DynamicPartition, DynamicPartitions, DynamicPartitionsChanged, Page,
};
use clap::Args;

use crate::client::{Client, all_pages};
use crate::console::Console;
use crate::failure::{Exit, Outcome};
use crate::render::{Column, Table, plural};

/// List the sets of dynamic partitions
#[derive(Debug, Args)]
pub(super) struct List {
    /// At most this many
    #[arg(long, default_value_t = 1_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    limit: u32,
}

/// List the keys of a set of dynamic partitions
#[derive(Debug, Args)]
pub(super) struct Show {
    /// Name of the set, as the definition gives it
    set: String,
    /// At most this many
    #[arg(long, default_value_t = 1_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    limit: u32,
}

/// Change the keys of a set of dynamic partitions
#[derive(Debug, Args)]
pub(super) struct Change {
    /// Name of the set, as the definition gives it
    set: String,
    /// Keys; one that makes no difference is no error
    #[arg(required = true, value_name = "KEY")]
    keys: Vec<String>,
}

/// Sets among which one is looked for.
const SETS_LOOKED_AT: usize = 10_000;

fn undefined(set: &str) -> String {
    format!("no asset is defined with dynamic partitions `{set}`")
}

pub(super) async fn list(options: &List, client: &Client, console: &Console) -> Outcome {
    let request = client.get(["dynamic-partitions"]).patient();
    let items: Vec<DynamicPartitions> = all_pages(&request, options.limit as usize).await?;
    if items.is_empty() && !console.is_json() {
        console.note("no asset is defined with dynamic partitions, and no key was added to any");
        return Ok(Exit::Success);
    }
    let page = Page {
        items,
        next_page_token: None,
    };
    console.document(&page, |paint| {
        let mut table = Table::new([Column::text("set"), Column::text("keys")]);
        for set in &page.items {
            table.row([set.name.clone(), set.keys.to_string()]);
        }
        table.render(paint)
    });
    Ok(Exit::Success)
}

pub(super) async fn show(options: &Show, client: &Client, console: &Console) -> Outcome {
    let request = client.get(["dynamic-partitions", &options.set]).patient();
    let items: Vec<DynamicPartition> = all_pages(&request, options.limit as usize).await?;
    if items.is_empty() && !console.is_json() {
        let sets = client.get(["dynamic-partitions"]).patient();
        let sets: Vec<DynamicPartitions> = all_pages(&sets, SETS_LOOKED_AT).await?;
        let set = &options.set;
        if sets.iter().any(|known| known.name == *set) {
            console.note(&format!(
                "`{set}` has no keys; `arco partitions add {set} KEY` adds one"
            ));
        } else {
            console.note(&undefined(set));
            console.hint(&format!(
                "arco partitions list shows the sets, arco partitions {set} the partitions of an asset `{set}`"
            ));
        }
        return Ok(Exit::Success);
    }
    let page = Page {
        items,
        next_page_token: None,
    };
    console.document(&page, |_| {
        let keys: Vec<&str> = page.items.iter().map(|row| row.key.as_str()).collect();
        keys.join("\n")
    });
    Ok(Exit::Success)
}

pub(super) async fn change(
    options: &Change,
    verb: &str,
    client: &Client,
    console: &Console,
) -> Outcome {
    let body = ChangeDynamicPartitions {
        keys: options.keys.clone(),
    };
    // Doing it twice is doing it once.
    let changed: DynamicPartitionsChanged = client
        .post(["dynamic-partitions", &options.set, verb])
        .json(&body)
        .patient()
        .send()
        .await?;
    console.document(&changed, |_| {
        let did = if verb == "add" {
            "added to"
        } else {
            "removed from"
        };
        format!(
            "{} {did} `{}`, which has {} now",
            plural(changed.changed, "key"),
            changed.set.name,
            changed.set.keys
        )
    });
    if verb == "add" && !changed.set.is_defined {
        console.note(&undefined(&changed.set.name));
        console.hint("arco partitions list shows the sets; remove takes the keys out again");
    }
    Ok(Exit::Success)
}
