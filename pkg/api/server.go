package api

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Limits of the server.
const (
	maxBody       = 1 << 20
	maxHeader     = 16 << 10
	maxConns      = 128
	headerTimeout = 5 * time.Second
	readTimeout   = 15 * time.Second
	writeTimeout  = 60 * time.Second
	idleTimeout   = 60 * time.Second
	closeTimeout  = 3 * time.Second
)

// Backend is what a Server serves. Its methods may be called from several goroutines; an *Error that they return is answered as it
// is, any other error as 500.
type Backend interface {
	// Status returns the state of every pipeline at once, without asking a server.
	Status() Status
	// Snapshot asks the pipeline for a snapshot of one table.
	Snapshot(ctx context.Context, pipeline string, r SnapshotRequest) error
	// Parked returns the parked changes of a pipeline's sinks; of one sink where it is not "".
	Parked(ctx context.Context, pipeline, sink string) ([]Parked, error)
}

// Options say what a Server serves and where.
type Options struct {
	Listen  string // host:port; port 0 takes a free one
	Cert    string // PEM files; both or neither
	Key     string
	Token   string
	Backend Backend
	Metrics http.Handler
	Refused func() // called for each missing or wrong token
	Log     *slog.Logger
}

// Server is a bound HTTP server.
type Server struct {
	http     *http.Server
	listener net.Listener
	log      *slog.Logger
}

// Listen binds the address. It refuses one that others reach where there is no TLS.
func Listen(ctx context.Context, o Options) (*Server, error) {
	host, _, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", o.Listen, err)
	}
	g := &guard{token: o.Token, host: host, refused: o.Refused, crossOrg: http.NewCrossOriginProtection()}
	var secure *tls.Config
	if o.Cert != "" {
		pair, leaf, err := loadPair(o.Cert, o.Key)
		if err != nil {
			return nil, err
		}
		g.cert = leaf
		secure = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, NextProtos: []string{"http/1.1"}}
	} else if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("listen on %s: others reach this address, and there is no TLS; listen on 127.0.0.1 or give server.tls", o.Listen)
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", o.Listen, err)
	}
	l = &limitListener{Listener: l, free: make(chan struct{}, maxConns)}
	if secure != nil {
		l = tls.NewListener(l, secure)
	}
	s := &http.Server{
		Handler:           g.wrap(routes(g, o)),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
	}
	return &Server{http: s, listener: l, log: o.Log}, nil
}

func loadPair(cert, key string) (tls.Certificate, *x509.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return pair, nil, fmt.Errorf("read server.tls: %w", err)
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return pair, nil, fmt.Errorf("read server.tls: %w", err)
	}
	return pair, leaf, nil
}

// Addr is the bound address.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Run serves until ctx ends, then lets running requests end for a moment.
func (s *Server) Run(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- s.http.Serve(s.listener) }()
	select {
	case err := <-done:
		return fmt.Errorf("serve http: %w", err)
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	err := s.http.Shutdown(stop)
	if err != nil {
		err = s.http.Close()
	}
	<-done
	if err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("close http: %w", err)
	}
	return nil
}

// limitListener accepts so many connections at once; others wait in the kernel's queue.
type limitListener struct {
	net.Listener
	free chan struct{}
}

// Accept waits for a free place, then for a connection.
func (l *limitListener) Accept() (net.Conn, error) {
	l.free <- struct{}{}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.free
		return nil, err
	}
	return &limitConn{Conn: c, free: l.free}, nil
}

type limitConn struct {
	net.Conn
	free chan struct{}
	once sync.Once
}

// Close gives the place back, once.
func (c *limitConn) Close() error {
	c.once.Do(func() { <-c.free })
	return c.Conn.Close()
}
