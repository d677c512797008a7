// A test file imports this module and Testing, and has the harness.
@_exported import RehearsalHarness
