"""Schedules and sensors whose functions say what to run (ADR 0019)."""
