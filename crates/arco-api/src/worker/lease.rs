//! A leased attempt as a host needs it.

use arco_core::PartitionKey;
use arco_engine::LeasePlan;
use arco_flow::state::inputs::TaskInput;
use arco_flow::state::op::OpValues;
use arco_wire::worker::{Lease, LeaseInput, LeaseOpInput, ValueAt};

use crate::auth::AttemptSecret;

pub(super) fn lease(plan: LeasePlan, secret: &AttemptSecret) -> Lease {
    let token = secret.token(plan.attempt, plan.leased, plan.step.timeout_ms);
    Lease {
        attempt: plan.attempt,
        run: plan.attempt.run,
        task: plan.attempt.task,
        number: plan.attempt.number,
        retry_number: plan.retry_number,
        step: plan.step.name,
        kind: plan.step.kind,
        outputs: plan.step.outputs,
        checks: plan.step.checks,
        partitions: plan.partitions,
        inputs: plan.inputs.into_iter().map(input).collect(),
        op_inputs: plan.op_inputs.into_iter().map(op_input).collect(),
        mapping_key: plan.mapping_key,
        config: (*plan.config).clone(),
        tags: plan.tags,
        isolation: plan.step.isolation,
        timeout_ms: plan.step.timeout_ms,
        memory_limit_bytes: plan.step.memory_limit_bytes,
        token,
        time: plan.leased.0,
    }
}

fn op_input(input: OpValues) -> LeaseOpInput {
    let values = input.values.into_iter().map(|value| ValueAt {
        run: value.run,
        step: value.step,
        output: value.output,
        mapping_key: value.mapping_key,
    });
    LeaseOpInput {
        param: input.param,
        list: input.list,
        values: values.collect(),
    }
}

fn input(input: TaskInput) -> LeaseInput {
    let keys = input.slots.iter().flatten();
    let text = |key: &PartitionKey| key.display().into_owned();
    LeaseInput {
        asset: input.dep.asset,
        param: input.dep.param,
        partitioned: input.partitioned,
        partitions: input.partitioned.then(|| keys.map(text).collect()),
    }
}
