package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/config"
)

func durationOf(d config.Duration) time.Duration { return time.Duration(d) }

var errNoCertificate = errors.New("holds no PEM certificate")

// clientTLS is how a stream's servers are checked; nil: plain text. The name in the certificate is the broker's, which the client
// fills in for each connection.
func clientTLS(t config.TLS) (*tls.Config, error) {
	if t.Mode == config.TLSDisable {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.CA != "" {
		pem, err := os.ReadFile(t.CA)
		if err != nil {
			return nil, fmt.Errorf("read ca: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("read ca: %s %w", t.CA, errNoCertificate)
		}
	}
	if t.Cert != "" {
		pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		if err != nil {
			return nil, fmt.Errorf("read cert and key: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	switch t.Mode {
	case config.TLSRequire:
		c.InsecureSkipVerify = true // asked for in so many words: encrypted, nothing is checked
	case config.TLSVerifyCA:
		c.InsecureSkipVerify = true // the standard check includes the name; ours is the chain alone
		c.VerifyConnection = func(s tls.ConnectionState) error { return verifyChain(s, c.RootCAs) }
	}
	return c, nil
}

// verifyChain checks that the server's certificate comes from one of roots (nil: the system's), whatever its name.
func verifyChain(s tls.ConnectionState, roots *x509.CertPool) error {
	if len(s.PeerCertificates) == 0 {
		return errNoCertificate
	}
	o := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
	for _, c := range s.PeerCertificates[1:] {
		o.Intermediates.AddCert(c)
	}
	_, err := s.PeerCertificates[0].Verify(o)
	return err
}
