package api

import (
	"crypto/x509"
	"net"
	"net/http"
	"strings"
)

// guard is what every request passes before its handler.
type guard struct {
	token    string
	cert     *x509.Certificate // nil: plain HTTP
	host     string            // the host that the server was told to listen on
	refused  func()            // counts a missing or wrong token
	crossOrg *http.CrossOriginProtection
}

// wrap puts the checks that all requests pass around h: who is asked for, from where, and how large.
func (g *guard) wrap(h http.Handler) http.Handler {
	inner := g.crossOrg.Handler(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := w.Header()
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		head.Set("Cache-Control", "no-store")
		head.Set("Referrer-Policy", "no-referrer")
		if !g.isOurs(r.Host) {
			writeError(w, &Error{Status: http.StatusMisdirectedRequest, Code: "host", Message: "this server isn't known by that name", Suggestion: "ask for it by its address"})
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		inner.ServeHTTP(w, r)
	})
}

// isOurs says that a Host header names this server: loopback, the address it listens on, or a name in its certificate.
func (g *guard) isOurs(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	if name == "localhost" || name == g.host && name != "" {
		return true
	}
	if ip := net.ParseIP(name); ip != nil && (ip.IsLoopback() || g.cert != nil) {
		return true // an address can't be pointed elsewhere, as a name can
	}
	return g.cert != nil && g.cert.VerifyHostname(name) == nil
}

// private lets only requests with the token through to h.
func (g *guard) private(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "Bearer") || !sameToken(strings.TrimSpace(token), g.token) {
			g.refused()
			w.Header().Set("WWW-Authenticate", `Bearer realm="tailwater"`)
			writeError(w, &Error{Status: http.StatusUnauthorized, Code: "token", Message: "the bearer token is missing or wrong", Suggestion: "send: Authorization: Bearer, and the text of the file token in state_dir"})
			return
		}
		h(w, r)
	}
}
