"""The Python half of the worker host: a zygote that loads user code once, and its children.

The other half is the Rust crate ``arco-worker``, which owns every process here. Nothing in this
package speaks HTTP and nothing holds a credential: a child gets a lease over a Unix socket and
answers with facts. ``docs/adr/0006-worker-contract.md`` says why it is cut this way.

====================  ==========================================================================
``zygote``            loads user code, forks children, reaps them, dies in time
``child``             runs one task after another
``frames``            length-prefixed JSON with descriptors beside it
``process``           the few Linux calls Python does not wrap
``canary``            does what was imported survive a fork?
``capture``           standard streams and ``logging`` of one task
``cancellation``      SIGTERM becomes an exception, but never inside a frame
====================  ==========================================================================

Standard library only, so that a zygote starts in a few milliseconds before it loads user code.
"""
