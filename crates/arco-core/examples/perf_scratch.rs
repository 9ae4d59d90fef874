#![allow(clippy::disallowed_methods, missing_docs)]
use arco_core::{Timestamp, partition::*};
use std::time::Instant;
fn main() {
    for (zone, start) in [("UTC","1910-01-01"),("America/New_York","1910-01-01"),("Asia/Kolkata","1950-01-01"),("Australia/Lord_Howe","1990-01-01")] {
        let t=Instant::now();
        let def=PartitionsDef::time_window(TimeWindowSpec{timezone:zone.into(),..TimeWindowSpec::hourly(start)}).unwrap();
        let build=t.elapsed();
        let now=Timestamp(1_767_225_600_000);
        let t=Instant::now(); let n=def.count(now); let c=t.elapsed();
        let t=Instant::now(); let k: Vec<_>=def.keys(now).take(1_000_000).collect(); let e=t.elapsed();
        let t=Instant::now(); let mut s=0; for key in &k { s+=def.ordinal_of(key).unwrap(); } let o=t.elapsed();
        println!("{zone}: build {build:?} count {n} in {c:?}, keys {} in {e:?}, ordinals in {o:?} {s}", k.len());
        let t=Instant::now();
        let day=PartitionsDef::time_window(TimeWindowSpec{timezone:zone.into(),..TimeWindowSpec::daily(start)}).unwrap();
        println!("  daily build {:?}", t.elapsed());
        let edge=PartitionEdge::new(&PartitionMapping::infer(Some(&def),Some(&day)),Some(&def),&day).unwrap();
        let t=Instant::now(); let mut s=0; for i in 0..1_000_000u64 { s+=edge.upstream(Some(i),now).ordinals.start; } println!("  1M upstream {:?} {s}", t.elapsed());
        let edge=PartitionEdge::new(&PartitionMapping::infer(Some(&def),Some(&def)),Some(&def),&def).unwrap();
        let t=Instant::now(); let mut s=0; for i in 0..1_000_000u64 { s+=edge.upstream(Some(i%n),now).ordinals.start; } println!("  1M upstream same {:?} {s}", t.elapsed());
    }
}
