package api

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"
)

// ErrNotRunning: nobody answers at the configured address.
var ErrNotRunning = errors.New("no tailwater runs there")

// clientTimeout bounds one request of a verb; maxAnswer what is read of its answer, in bytes.
const (
	clientTimeout = 10 * time.Second
	maxAnswer     = 32 << 20
)

// Client asks a running process on this machine.
type Client struct {
	base  string
	token string
	http  *http.Client
}

// NewClient returns a Client of the process that listens on listen. cert is the server's certificate, "" where it serves plain HTTP.
func NewClient(listen, cert, token string) (*Client, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", listen, err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	transport := &http.Transport{Proxy: nil, DisableKeepAlives: true}
	scheme := "http"
	if cert != "" {
		scheme = "https"
		if transport.TLSClientConfig, err = pinned(cert); err != nil {
			return nil, err
		}
	}
	return &Client{base: scheme + "://" + net.JoinHostPort(host, port), token: token, http: &http.Client{Transport: transport, Timeout: clientTimeout}}, nil
}

// pinned trusts exactly the certificate that the config names: a verb asks by address, which the certificate needn't hold.
func pinned(cert string) (*tls.Config, error) {
	b, err := os.ReadFile(cert)
	if err != nil {
		return nil, fmt.Errorf("read server.tls: %w", err)
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, fmt.Errorf("read server.tls: %s holds no PEM certificate", cert)
	}
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, // names and chains aren't checked; VerifyConnection asks for the very certificate
		VerifyConnection: func(s tls.ConnectionState) error {
			if !bytes.Equal(s.PeerCertificates[0].Raw, block.Bytes) {
				return errors.New("the server's certificate is not the one in server.tls")
			}
			return nil
		},
	}, nil
}

// Status returns the process's status.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var out Status
	err := c.do(ctx, request{method: http.MethodGet, path: "/api/v1/status", out: &out})
	return out, err
}

// Snapshot asks for a snapshot of one table.
func (c *Client) Snapshot(ctx context.Context, pipeline string, r SnapshotRequest) (Accepted, error) {
	var out Accepted
	err := c.do(ctx, request{method: http.MethodPost, path: "/api/v1/pipelines/" + url.PathEscape(pipeline) + "/snapshot", in: r, out: &out})
	return out, err
}

// Parked returns the parked changes of a pipeline.
func (c *Client) Parked(ctx context.Context, pipeline, sink string) ([]Parked, error) {
	var out []Parked
	path := "/api/v1/pipelines/" + url.PathEscape(pipeline) + "/parked"
	if sink != "" {
		path += "?sink=" + url.QueryEscape(sink)
	}
	err := c.do(ctx, request{method: http.MethodGet, path: path, out: &out})
	return out, err
}

type request struct {
	method, path string
	in, out      any
}

// do sends one request. It returns ErrNotRunning where nobody listens, and the server's *Error where it refuses.
func (c *Client) do(ctx context.Context, r request) error {
	var body io.Reader
	if r.in != nil {
		b, err := json.Marshal(r.in)
		if err != nil {
			return fmt.Errorf("ask %s: %w", c.base, err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, c.base+r.path, body)
	if err != nil {
		return fmt.Errorf("ask %s: %w", c.base, err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	res, err := c.http.Do(req)
	if err != nil {
		if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
			return fmt.Errorf("ask %s: %w", c.base, ErrNotRunning)
		}
		return fmt.Errorf("ask %s: %w", c.base, err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("ask %s: %w", c.base, err)
	}
	if res.StatusCode >= http.StatusBadRequest {
		var refused errorBody
		if json.Unmarshal(answer, &refused) != nil || refused.Error == nil {
			return fmt.Errorf("ask %s: answered %s, which is not tailwater's way", c.base, res.Status)
		}
		refused.Error.Status = res.StatusCode
		return refused.Error
	}
	if err := json.Unmarshal(answer, r.out); err != nil {
		return fmt.Errorf("ask %s: the answer can't be read: %w", c.base, err)
	}
	return nil
}
