// One import is enough for users: the types that scenarios, faults in code and results are made of
// come along.
@_exported import Harness
@_exported import Moderation
@_exported import Pipeline
@_exported import Ports
@_exported import Simulation
