package api_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/api"
)

// certificate writes a self-signed pair for one name.
func certificate(t *testing.T, name string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: pkcs}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// TestTLS: a public address with a certificate serves, and a verb trusts that certificate and no other.
func TestTLS(t *testing.T) {
	t.Parallel()
	cert, key := certificate(t, "cdc.example")
	other, _ := certificate(t, "cdc.example")
	addr := serve(t, api.Options{Listen: "0.0.0.0:0", Cert: cert, Key: key, Backend: newFake()})
	port := addr[strings.LastIndex(addr, ":"):]
	good, err := api.NewClient("0.0.0.0"+port, cert, token)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := good.Status(t.Context()); err != nil {
		t.Error(err)
	}
	bad, err := api.NewClient("0.0.0.0"+port, other, token)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bad.Status(t.Context()); err == nil || !strings.Contains(err.Error(), "not the one in server.tls") {
		t.Errorf("%v", err)
	}
}
