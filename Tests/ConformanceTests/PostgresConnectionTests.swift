import Ports
import Testing

@testable import PostgresBackend

/// What libpq says of a connection that doesn't come about, told to the caller.
@Suite("PostgreSQL, connections refused")
struct PostgresConnectionTests {
  @Test(
    "What the settings make of TLS is invalid and isn't tried again",
    arguments: [
      "SSL error: certificate verify failed",
      "server certificate for \"db\" does not match host name \"localhost\"",
      "root certificate file \"/no/such.pem\" does not exist",
      "server does not support SSL, but SSL was required",
    ])
  func trust(said: String) {
    let failure = ConnectionFailure(address: "db:5432", said: said, wasOpen: false)
    #expect(!failure.mayPass)
    let error = PostgresDatabase.portError(failure, PortMethod("test", "open"))
    #expect(error.code == .invalid)
    #expect(error.hint.contains("ssl_root_certificate") && error.hint.contains(said))
  }

  @Test(
    "A connection that breaks, whatever it was doing, is tried again",
    arguments: [
      ("SSL SYSCALL error: EOF detected", false), ("Connection refused", false),
      ("SSL error: certificate verify failed", true),
    ])
  func broken(said: String, wasOpen: Bool) {
    let failure = ConnectionFailure(address: "db:5432", said: said, wasOpen: wasOpen)
    #expect(failure.mayPass)
    let error = PostgresDatabase.portError(failure, PortMethod("test", "open"))
    #expect(error.code == .unavailable)
  }

  @Test("A wrong password and a missing database stay so", arguments: ["28P01", "3D000"])
  func refused(state: String) {
    let failure = ConnectionFailure(address: "db:5432", said: "no", state: state, wasOpen: false)
    #expect(!failure.mayPass)
  }
}
