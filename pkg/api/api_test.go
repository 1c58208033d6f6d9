package api_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tailwater-cdc/tailwater/pkg/api"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a Backend with fields for answers.
type fake struct {
	status   api.Status
	snapshot func(pipeline string, r api.SnapshotRequest) error
	parked   func(pipeline, sink string) ([]api.Parked, error)
}

func (f *fake) Status() api.Status { return f.status }

func (f *fake) Snapshot(_ context.Context, pipeline string, r api.SnapshotRequest) error {
	return f.snapshot(pipeline, r)
}

func (f *fake) Parked(_ context.Context, pipeline, sink string) ([]api.Parked, error) {
	return f.parked(pipeline, sink)
}

const token = "the-right-token-the-right-token-the-right"

func newFake() *fake {
	return &fake{
		status:   api.Status{Version: "v", Pipelines: []api.Pipeline{{Name: "a", State: "running"}, {Name: "b", State: "snapshot"}}},
		snapshot: func(string, api.SnapshotRequest) error { return nil },
		parked:   func(string, string) ([]api.Parked, error) { return nil, nil },
	}
}

// serve runs a server until the test ends and returns its address.
func serve(t *testing.T, o api.Options) string {
	t.Helper()
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	o.Token, o.Log = token, slog.New(slog.DiscardHandler)
	if o.Refused == nil {
		o.Refused = func() {}
	}
	o.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "metrics\n") })
	s, err := api.Listen(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s.Addr()
}

// ask sends one request and returns the status and the body.
func ask(t *testing.T, r *http.Request) (*http.Response, string) {
	t.Helper()
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	res, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(b)
}

func request(t *testing.T, method, url, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestEveryRouteWithEveryToken: only what is open answers without the token.
func TestEveryRouteWithEveryToken(t *testing.T) {
	t.Parallel()
	refused := make(chan struct{}, 1000)
	addr := serve(t, api.Options{Backend: newFake(), Refused: func() { refused <- struct{}{} }})
	tokens := []struct {
		name, header string
		good         bool
	}{
		{"none", "", false},
		{"wrong", "Bearer wrong", false},
		{"a prefix", "Bearer " + token[:len(token)-1], false},
		{"longer", "Bearer " + token + "x", false},
		{"no scheme", token, false},
		{"other scheme", "Basic " + token, false},
		{"right", "Bearer " + token, true},
	}
	good := map[string]int{"GET": http.StatusOK, "POST": http.StatusAccepted}
	want := 0
	for _, route := range api.Routes() {
		for _, tok := range tokens {
			r := request(t, route.Method, "http://"+addr+strings.ReplaceAll(route.Path, "{pipeline}", "a"), `{"table":"public.orders"}`)
			if tok.header != "" {
				r.Header.Set("Authorization", tok.header)
			}
			res, body := ask(t, r)
			status := http.StatusUnauthorized
			if route.Open || tok.good {
				status = good[route.Method]
			} else {
				want++
			}
			if res.StatusCode != status {
				t.Errorf("%s %s with token %s: %d, want %d: %s", route.Method, route.Path, tok.name, res.StatusCode, status, body)
			}
			if status == http.StatusUnauthorized && (!strings.Contains(body, `"code":"token"`) || res.Header.Get("WWW-Authenticate") == "") {
				t.Errorf("%s: %s", route.Path, body)
			}
			if strings.Contains(body, token) {
				t.Errorf("%s: the token is in the answer", route.Path)
			}
			for _, h := range []string{"X-Content-Type-Options", "Content-Security-Policy", "Cache-Control"} {
				if res.Header.Get(h) == "" {
					t.Errorf("%s: no %s", route.Path, h)
				}
			}
		}
	}
	if len(refused) != want {
		t.Errorf("%d refusals counted, want %d", len(refused), want)
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	t.Parallel()
	b := newFake()
	b.snapshot = func(p string, _ api.SnapshotRequest) error {
		if p == "broken" {
			return errors.New("the source is away")
		}
		return &api.Error{Status: http.StatusNotFound, Code: "pipeline", Message: "no pipeline"}
	}
	addr := serve(t, api.Options{Backend: b})
	snapshot := "/api/v1/pipelines/a/snapshot"
	cases := []struct {
		name, method, path, body string
		change                   func(*http.Request)
		want                     int
		code                     string
	}{
		{name: "unknown address", method: "GET", path: "/x", want: 404, code: "not_found"},
		{name: "wrong method", method: "DELETE", path: "/api/v1/status", want: 405, code: "method"},
		{name: "write by GET", method: "GET", path: snapshot, want: 405, code: "method"},
		{name: "no body", method: "POST", path: snapshot, want: 400, code: "body"},
		{name: "unknown field", method: "POST", path: snapshot, body: `{"table":"a.b","x":1}`, want: 400, code: "body"},
		{name: "two values", method: "POST", path: snapshot, body: `{"table":"a.b"}{}`, want: 400, code: "body"},
		{name: "no table", method: "POST", path: snapshot, body: `{"table":"orders"}`, want: 400, code: "table"},
		{name: "large body", method: "POST", path: snapshot, body: `{"table":"` + strings.Repeat("x", 2<<20) + `"}`, want: 400, code: "body"},
		{name: "the backend's own refusal", method: "POST", path: snapshot, body: `{"table":"a.b"}`, want: 404, code: "pipeline"},
		{name: "the backend's error", method: "POST", path: "/api/v1/pipelines/broken/snapshot", body: `{"table":"a.b"}`, want: 500, code: "internal"},
		{name: "a name that points here", method: "GET", path: "/livez", change: func(r *http.Request) { r.Host = "evil.example" }, want: 421, code: "host"},
		{name: "no name", method: "GET", path: "/livez", change: func(r *http.Request) { r.Host = ":80" }, want: 421, code: "host"},
		{name: "another address", method: "GET", path: "/livez", change: func(r *http.Request) { r.Host = "10.0.0.1:7300" }, want: 421, code: "host"},
		{name: "from a web page", method: "POST", path: snapshot, body: `{"table":"a.b"}`, change: func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, want: 403},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := request(t, c.method, "http://"+addr+c.path, c.body)
			r.Header.Set("Authorization", "Bearer "+token)
			if c.change != nil {
				c.change(r)
			}
			res, body := ask(t, r)
			if res.StatusCode != c.want || c.code != "" && !strings.Contains(body, `"code":"`+c.code+`"`) {
				t.Errorf("%d %s, want %d %s", res.StatusCode, body, c.want, c.code)
			}
		})
	}
}

func TestReadyNamesWhoIsNot(t *testing.T) {
	t.Parallel()
	b := newFake()
	b.status.Pipelines = append(b.status.Pipelines, api.Pipeline{Name: "c", State: "halted", Reason: "secret words"}, api.Pipeline{Name: "d", State: "running", NotReady: "secret words"})
	addr := serve(t, api.Options{Backend: b})
	res, body := ask(t, request(t, "GET", "http://"+addr+"/readyz", ""))
	if res.StatusCode != 503 || body != "c: halted\nd: running, but nothing moves\n" {
		t.Errorf("%d %q", res.StatusCode, body)
	}
	_, body = ask(t, request(t, "GET", "http://"+addr+"/readyz?verbose", ""))
	if body != "a: running\nb: snapshot\nc: halted\nd: running, but nothing moves\n" {
		t.Errorf("%q", body)
	}
}

// TestHeadersAreBounded: the server answers 431, or resets the connection before the client has sent all.
func TestHeadersAreBounded(t *testing.T) {
	t.Parallel()
	addr := serve(t, api.Options{Backend: newFake()})
	for size, want := range map[int]bool{8 << 10: true, 64 << 10: false} {
		r := request(t, "GET", "http://"+addr+"/livez", "")
		r.Header.Set("X-Large", strings.Repeat("x", size))
		c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		res, err := c.Do(r)
		if err == nil {
			res.Body.Close()
		}
		if served := err == nil && res.StatusCode == http.StatusOK; served != want {
			t.Errorf("%d bytes of header: served %v, want %v (%v)", size, served, want, err)
		}
	}
}

func TestAPublicAddressNeedsTLS(t *testing.T) {
	t.Parallel()
	for _, listen := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "db.example:0"} {
		s, err := api.Listen(t.Context(), api.Options{Listen: listen, Log: slog.New(slog.DiscardHandler)})
		if err == nil || !strings.Contains(err.Error(), "no TLS") {
			t.Errorf("%s: %v %v", listen, s, err)
		}
	}
}

func TestClient(t *testing.T) {
	t.Parallel()
	b := newFake()
	var asked api.SnapshotRequest
	b.snapshot = func(_ string, r api.SnapshotRequest) error { asked = r; return nil }
	b.parked = func(p, sink string) ([]api.Parked, error) { return []api.Parked{{Sink: sink, Table: p}}, nil }
	addr := serve(t, api.Options{Backend: b})
	c, err := api.NewClient(addr, "", token)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := c.Status(t.Context()); err != nil || len(s.Pipelines) != 2 {
		t.Errorf("%v %v", s, err)
	}
	if _, err := c.Snapshot(t.Context(), "a", api.SnapshotRequest{Table: "a.b", Where: "x > 1"}); err != nil || asked.Where != "x > 1" {
		t.Errorf("%v %v", asked, err)
	}
	if p, err := c.Parked(t.Context(), "a/b", "s&t"); err != nil || len(p) != 1 || p[0].Sink != "s&t" || p[0].Table != "a/b" {
		t.Errorf("%v %v", p, err)
	}
	wrong, _ := api.NewClient(addr, "", "wrong")
	if e, ok := errors.AsType[*api.Error](second(wrong.Status(t.Context()))); !ok || e.Code != "token" || e.Status != 401 {
		t.Errorf("%v", e)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free := l.Addr().String()
	l.Close()
	none, _ := api.NewClient(free, "", token)
	if _, err := none.Status(t.Context()); !errors.Is(err, api.ErrNotRunning) {
		t.Errorf("%v", err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestToken(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := api.ReadToken(dir); !errors.Is(err, api.ErrNoToken) {
		t.Errorf("%v", err)
	}
	first, err := api.OpenToken(dir)
	if err != nil || len(first) < 32 {
		t.Fatalf("%q %v", first, err)
	}
	if again, err := api.OpenToken(dir); err != nil || again != first {
		t.Errorf("another token at the second start: %v", err)
	}
	file := filepath.Join(dir, "token")
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	cases := []struct {
		name string
		make func(file string) error
		want string
	}{
		{"open to others", func(f string) error { return os.Chmod(f, 0o644) }, "chmod 600"},
		{"empty", func(f string) error { return os.WriteFile(f, nil, 0o600) }, "shorter"},
		{"a link", func(f string) error { return errors.Join(os.Rename(f, f+"2"), os.Symlink(f+"2", f)) }, "symbolic"},
		{"a folder", func(f string) error { return errors.Join(os.Remove(f), os.Mkdir(f, 0o700)) }, "others may read it"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if _, err := api.OpenToken(dir); err != nil {
				t.Fatal(err)
			}
			if err := c.make(filepath.Join(dir, "token")); err != nil {
				t.Fatal(err)
			}
			if _, err := api.OpenToken(dir); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}
