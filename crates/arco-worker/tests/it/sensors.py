

# What evaluations call. The module above has `dg`, `write` and what it needs.


@dg.sensor(target=[one])
def quick(context):
    """Says what it finds, in each way there is."""
    print("looked around")
    print("careful", file=sys.stderr)
    context.log.info("found %d", 2)
    context.update_cursor("c1")
    return dg.RunRequest(run_key="k", tags={"pid": str(os.getpid())})


@dg.schedule(cron_schedule="0 12 * * *", target=[one], execution_timezone="Europe/Berlin")
def noon(context):
    return dg.RunRequest(run_key=context.scheduled_execution_time.isoformat())


@dg.sensor
def hangs():
    write("hangs_pid", os.getpid())
    time.sleep(600)


@dg.sensor
def stubborn():
    write("stubborn_evaluator_pid", os.getpid())
    while True:
        try:
            time.sleep(600)
        except BaseException:
            write("refused_evaluation", 1)


@dg.sensor
def raises():
    raise ValueError("no such folder")


@dg.sensor
def dies():
    print("last words", file=sys.stderr)
    sys.stderr.flush()
    ctypes.string_at(0)


@dg.sensor
def chatters():
    for _ in range(20_000):
        print("x" * 99)


@dg.sensor
def waits():
    """Until the test says go on."""
    write("waits_pids", os.getpid())
    while not os.path.exists("go"):
        time.sleep(0.01)


@dg.push_sensor(target=[one])
def takes(context, message):
    if message.data == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if message.data == "hang":
        time.sleep(600)
    context.update_cursor(message.id)
    return dg.RunRequest(run_key=message.id)
