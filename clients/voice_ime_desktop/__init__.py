"""The thin client on the person's desk. Depends on the wire (protocol, client), never on the server or an engine."""
