package registry

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// Config is where a registry is and who we are to it.
type Config struct {
	URL            string      // https://host:port, with a path where the registry has one
	User, Password string      // basic authentication; an empty user: none
	TLS            *tls.Config // of https; nil: the system's roots
}

// Client registers schemas. Several goroutines may use it.
type Client struct {
	cfg   Config
	base  string
	http  *http.Client
	first time.Duration // the first pause

	mu  sync.Mutex
	ids map[entry]uint32
}

type entry struct{ subject, schema string }

const (
	attempts   = 6
	firstPause = 200 * time.Millisecond
	maxPause   = 5 * time.Second
	patience   = 15 * time.Second // for one answer
	maxAnswer  = 1 << 20
	media      = "application/vnd.schemaregistry.v1+json"
)

// New returns a Client. Nothing is asked yet. A URL that is none is change.ErrPreflight.
func New(cfg Config) (*Client, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return nil, fmt.Errorf("%w: registry url: want http:// or https:// and a host, without user and password", change.ErrPreflight)
	}
	t, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		t = &http.Transport{}
	}
	t = t.Clone()
	t.TLSClientConfig = cfg.TLS.Clone()
	return &Client{cfg: cfg, base: strings.TrimRight(cfg.URL, "/"), first: firstPause, ids: map[entry]uint32{},
		http: &http.Client{Transport: t, Timeout: patience}}, nil
}

// Close ends the connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Register makes schema known under subject, if it isn't, and returns its number. Errors: change.ErrHalt where the registry refuses it,
// change.ErrDenied, change.ErrPreflight where the URL is not that of a registry, change.ErrUnreachable after some attempts.
func (c *Client) Register(ctx context.Context, subject, schema string) (uint32, error) {
	key := entry{subject, schema}
	c.mu.Lock()
	id, ok := c.ids[key]
	c.mu.Unlock()
	if ok {
		return id, nil
	}
	body, err := json.Marshal(map[string]string{"schema": schema})
	if err != nil {
		return 0, fmt.Errorf("%w: %w", change.ErrHalt, err)
	}
	id, err = c.retry(ctx, func() (uint32, error) {
		status, answer, err := c.ask(ctx, http.MethodPost, "/subjects/"+url.PathEscape(subject)+"/versions", body)
		if err != nil {
			return 0, err
		}
		return judge(status, answer)
	})
	if err != nil {
		return 0, fmt.Errorf("register subject %s at %s: %w", subject, c.base, err)
	}
	c.mu.Lock()
	c.ids[key] = id
	c.mu.Unlock()
	return id, nil
}

// Check asks whether a registry answers and knows us. Who may see no subject may still write one, so 403 is an answer too. Errors: as
// Register's.
func (c *Client) Check(ctx context.Context) error {
	_, err := c.retry(ctx, func() (uint32, error) {
		status, answer, err := c.ask(ctx, http.MethodGet, "/subjects", nil)
		if err != nil || status == http.StatusForbidden || status == http.StatusOK && len(answer) > 0 && answer[0] == '[' {
			return 0, err
		}
		return judge(status, answer)
	})
	if err != nil {
		return fmt.Errorf("ask the registry at %s: %w", c.base, err)
	}
	return nil
}

// errAgain marks what passes by itself.
var errAgain = errors.New("no answer")

func (c *Client) retry(ctx context.Context, f func() (uint32, error)) (uint32, error) {
	pause := c.first
	for left := attempts - 1; ; left-- {
		id, err := f()
		if !errors.Is(err, errAgain) {
			return id, err
		}
		if left == 0 {
			return 0, fmt.Errorf("%w: %w", change.ErrUnreachable, err)
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return 0, ctx.Err()
		case <-timer.C:
		}
		pause = min(2*pause, maxPause)
	}
}

// ask makes one request.
func (c *Client) ask(ctx context.Context, method, path string, body []byte) (status int, answer []byte, err error) {
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, fmt.Errorf("%w: %w", change.ErrPreflight, err)
	}
	r.Header.Set("Content-Type", media)
	r.Header.Set("Accept", media+", application/json")
	if c.cfg.User != "" {
		r.SetBasicAuth(c.cfg.User, c.cfg.Password)
	}
	response, err := c.http.Do(r)
	if err != nil {
		return 0, nil, failed(ctx, err)
	}
	defer response.Body.Close()
	if answer, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer)); err != nil {
		return 0, nil, failed(ctx, err)
	}
	return response.StatusCode, answer, nil
}

// failed is an exchange that broke. A certificate that we don't trust won't be another the next time.
func failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var untrusted *tls.CertificateVerificationError
	if errors.As(err, &untrusted) {
		return fmt.Errorf("%w: %w; set stream.registry.tls", change.ErrPreflight, err)
	}
	return fmt.Errorf("%w: %w", errAgain, err)
}

// judge reads an answer.
func judge(status int, answer []byte) (uint32, error) {
	var said struct {
		ID      *int64 `json:"id"`
		Code    int    `json:"error_code"`
		Message string `json:"message"`
	}
	parsed := json.Unmarshal(answer, &said) == nil
	words := said.Message
	if words == "" {
		words = fmt.Sprintf("%.200q", answer)
	}
	switch {
	case status == http.StatusOK && parsed && said.ID != nil && *said.ID >= 0 && *said.ID <= math.MaxUint32:
		return uint32(*said.ID), nil
	case status == http.StatusConflict:
		return 0, fmt.Errorf("%w: the registry refuses the table's new schema as incompatible with the subject's earlier ones: %s; lower the subject's compatibility, or register it by hand, and start again", change.ErrHalt, words)
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return 0, fmt.Errorf("%w: %d %s: check stream.registry user and password, and the user's right to write the subject", change.ErrDenied, status, words)
	case status == http.StatusUnprocessableEntity || status == http.StatusBadRequest:
		return 0, fmt.Errorf("%w: the registry refuses the schema: %s", change.ErrHalt, words)
	case status == http.StatusTooManyRequests || status >= 500:
		return 0, fmt.Errorf("%w: %d %s", errAgain, status, words)
	}
	return 0, fmt.Errorf("%w: the answer is %d %s: is stream.registry.url a schema registry's?", change.ErrPreflight, status, words)
}
