// Package api is the HTTP side of a running tailwater: health, metrics, and what the verbs ask a running process for. It holds the
// server, the client that the verbs use, and the messages between them.
//
// /livez and /readyz are open. Everything else takes the bearer token that OpenToken makes in the state folder. The server answers
// on loopback, or with TLS; it answers only requests that name it by an address or a name that is its own, so that a web page can't
// reach it through a name that it has pointed here. No answer holds a secret or a row.
//
// It imports the standard library only; what it serves comes through Backend. Only cmd imports it.
package api
