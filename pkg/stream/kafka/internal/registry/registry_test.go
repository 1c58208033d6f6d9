package registry_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/stream/kafka/internal/registry"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// record is a schema whose fields are given as they stand.
func record(fields string) string {
	return `{"type":"record","name":"Value","namespace":"cdc","fields":[` + fields + `]}`
}

const (
	id      = `{"name":"id","type":"long"}`
	note    = `{"name":"note","type":["null","string"],"default":null}`
	noteInt = `{"name":"note","type":"int"}`
)

func client(t *testing.T, cfg registry.Config) *registry.Client {
	t.Helper()
	c, err := registry.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	registry.SetFirstPause(c, time.Millisecond)
	t.Cleanup(c.Close)
	return c
}

// front is a registry that asks for TLS and a password, and passes on to the real one what before lets through.
func front(t *testing.T, before func(w http.ResponseWriter, r *http.Request) (done bool)) *httptest.Server {
	t.Helper()
	behind, err := url.Parse(testenv.Registry(t))
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(behind)
	transport := &http.Transport{DisableKeepAlives: true}
	proxy.Transport = transport
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "tailwater" || password != "s3cret" {
			http.Error(w, `{"error_code":401,"message":"who are you?"}`, http.StatusUnauthorized)
			return
		}
		if !before(w, r) {
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(func() {
		server.Close()
		transport.CloseIdleConnections()
	})
	return server
}

func trusting(s *httptest.Server) *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return &tls.Config{RootCAs: roots}
}

// TestARealRegistry: a schema has one number, a compatible one another, and one that isn't halts in the registry's own words.
func TestARealRegistry(t *testing.T) {
	t.Parallel()
	address := testenv.Registry(t)
	c := client(t, registry.Config{URL: address + "/"})
	subject := fmt.Sprintf("t%d.public/or ders-value", time.Now().UnixNano())
	first, err := c.Register(t.Context(), subject, record(id))
	if err != nil {
		t.Fatal(err)
	}
	again, err := client(t, registry.Config{URL: address}).Register(t.Context(), subject, record(id))
	if err != nil || again != first {
		t.Fatalf("the same schema is %d, %v, and was %d", again, err, first)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, address+"/config/"+url.PathEscape(subject), strings.NewReader(`{"compatibility":"BACKWARD"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/vnd.schemaregistry.v1+json")
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil || response.Body.Close() != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("set compatibility: %v, %v", response, err)
	}
	second, err := c.Register(t.Context(), subject, record(id+","+note))
	if err != nil || second == first {
		t.Fatalf("a shape with a new column is %d, %v", second, err)
	}
	_, err = c.Register(t.Context(), subject, record(id+","+noteInt))
	if !errors.Is(err, change.ErrHalt) || !strings.Contains(err.Error(), "ncompatible") || !strings.Contains(err.Error(), subject) {
		t.Errorf("an incompatible schema: %v", err)
	}
	if _, err = c.Register(t.Context(), subject, `{"type":"rec`); !errors.Is(err, change.ErrHalt) {
		t.Errorf("no schema at all: %v", err)
	}
}

// TestTLSAndPassword: both are needed, and what is wrong with either is said.
func TestTLSAndPassword(t *testing.T) {
	t.Parallel()
	server := front(t, func(http.ResponseWriter, *http.Request) bool { return false })
	cases := []struct {
		name string
		cfg  registry.Config
		want error
	}{
		{"both", registry.Config{User: "tailwater", Password: "s3cret", TLS: trusting(server)}, nil},
		{"another password", registry.Config{User: "tailwater", Password: "secret", TLS: trusting(server)}, change.ErrDenied},
		{"no user", registry.Config{TLS: trusting(server)}, change.ErrDenied},
		{"no trust", registry.Config{User: "tailwater", Password: "s3cret"}, change.ErrPreflight},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.cfg.URL = server.URL
			one := client(t, c.cfg)
			_, err := one.Register(t.Context(), "secure-value", record(id))
			if checked := one.Check(t.Context()); !errors.Is(err, c.want) || !errors.Is(checked, c.want) {
				t.Errorf("%v, %v, want %v", err, checked, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the password is told: %v", err)
			}
		})
	}
}

// TestARegistryThatIsAwayIsAskedAgain: until it answers; and what has been answered once is not asked for again.
func TestARegistryThatIsAwayIsAskedAgain(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	server := front(t, func(w http.ResponseWriter, _ *http.Request) bool {
		if n := asked.Add(1); n == 1 {
			http.Error(w, `{"error_code":50003,"message":"forwarding to the primary failed"}`, http.StatusInternalServerError)
			return true
		} else if n == 2 { // breaks off
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return true
			}
			_ = conn.Close()
			return true
		}
		return false
	})
	c := client(t, registry.Config{URL: server.URL, User: "tailwater", Password: "s3cret", TLS: trusting(server)})
	for range 3 {
		if _, err := c.Register(t.Context(), "away-value", record(id)); err != nil {
			t.Fatal(err)
		}
	}
	if n := asked.Load(); n != 3 {
		t.Errorf("it was asked %d times, want 3", n)
	}
}

// TestWhatIsNoRegistry: one that never answers is unreachable; another kind of server and a bad url are a setting to correct.
func TestWhatIsNoRegistry(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.NotFoundHandler())
	down := httptest.NewServer(http.NotFoundHandler())
	down.Close()
	t.Cleanup(other.Close)
	for address, want := range map[string]error{other.URL: change.ErrPreflight, down.URL: change.ErrUnreachable} {
		c := client(t, registry.Config{URL: address})
		_, err := c.Register(t.Context(), "x-value", record(id))
		if checked := c.Check(t.Context()); !errors.Is(err, want) || !errors.Is(checked, want) {
			t.Errorf("%s: %v, %v, want %v", address, err, checked, want)
		}
	}
	for _, address := range []string{"", "registry:8081", "ftp://registry", "http://user:password@registry", "http://"} {
		if _, err := registry.New(registry.Config{URL: address}); !errors.Is(err, change.ErrPreflight) {
			t.Errorf("%q: %v", address, err)
		}
	}
}
