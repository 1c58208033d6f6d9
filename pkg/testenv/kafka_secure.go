package testenv

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
)

// The user that a secure listener knows.
const (
	KafkaUser     = "tailwater"
	KafkaPassword = "s3cret, with a = and a comma"
)

// SecureKafka is a broker with a second listener that takes TLS and a password only.
type SecureKafka struct {
	*KafkaServer
	Secure string         // host:port of that listener
	Roots  *x509.CertPool // what its certificate is signed by
}

// StartSecureKafka makes and starts a broker as StartKafka does. Its user may come by PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512.
func StartSecureKafka(t testing.TB) *SecureKafka {
	t.Helper()
	s := &SecureKafka{KafkaServer: newKafkaServer(t, nil), Roots: x509.NewCertPool()}
	certificate, store := selfSigned(t)
	s.Roots.AddCert(certificate)
	s.settings = append(s.settings, "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL",
		"inter.broker.listener.name=PLAINTEXT", "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
		"ssl.keystore.type=PEM", "ssl.keystore.location="+filepath.Join(s.Dir, "store.pem"),
		fmt.Sprintf("listener.name.secure.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_%s=%q;", KafkaUser, KafkaPassword),
		"listener.name.secure.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;",
		"listener.name.secure.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;")
	common := len(s.settings)
	err := s.begin(func(p *Process) error {
		controller, err := freePort()
		if err != nil {
			return err
		}
		secure, err := freePort()
		if err != nil {
			return err
		}
		s.Addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(p.Port))
		s.Secure = net.JoinHostPort("127.0.0.1", strconv.Itoa(secure))
		if err := p.run("prepare", p.Dir, strconv.Itoa(p.Port), strconv.Itoa(controller)); err != nil {
			return err
		}
		plain, err := listeners(p.Dir)
		if err != nil {
			return err
		}
		p.settings = append(p.settings[:common:common], "listeners="+plain+",SECURE://"+s.Secure,
			"advertised.listeners=PLAINTEXT://"+s.Addr+",SECURE://"+s.Secure)
		return os.WriteFile(filepath.Join(p.Dir, "store.pem"), store, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	s.addUser(t)
	return s
}

// listeners is what the recipe has written.
func listeners(dir string) (string, error) {
	properties, err := os.ReadFile(filepath.Join(dir, "server.properties"))
	if err != nil {
		return "", fmt.Errorf("read the broker's settings: %w", err)
	}
	for line := range strings.Lines(string(properties)) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "listeners="); ok {
			return value, nil
		}
	}
	return "", fmt.Errorf("%s/server.properties has no listeners", dir)
}

// addUser makes the user known to SCRAM; to PLAIN the settings do.
func (s *SecureKafka) addUser(t testing.TB) {
	t.Helper()
	client, done := s.client()
	defer done()
	for _, m := range scramMechanisms { // one at a time: a user can't be altered twice in a request
		salted, err := m.salted(KafkaPassword)
		if err != nil {
			t.Fatal(err)
		}
		request := &kafka.AlterUserScramCredentialsRequest{Upsertions: []kafka.UserScramCredentialsUpsertion{{Name: KafkaUser, Mechanism: m.id,
			Iterations: scramIterations, Salt: []byte(scramSalt), SaltedPassword: salted}}}
		Wait(t, "the broker takes a user", func() bool {
			r, err := client.AlterUserScramCredentials(t.Context(), request)
			return err == nil && len(r.Results) == 1 && r.Results[0].Error == nil
		})
	}
}

// selfSigned is a certificate of 127.0.0.1, and it and its key as PEM.
func selfSigned(t testing.TB) (*x509.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "tailwater test"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	store := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	return certificate, append(store, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
}

const (
	scramIterations = 4096
	scramSalt       = "a salt of the tests"
)

type scramMechanism struct {
	id     kafka.ScramMechanism
	salted func(password string) ([]byte, error)
}

var scramMechanisms = []scramMechanism{
	{kafka.ScramMechanismSha256, func(password string) ([]byte, error) {
		return pbkdf2.Key(sha256.New, password, []byte(scramSalt), scramIterations, sha256.Size)
	}},
	{kafka.ScramMechanismSha512, func(password string) ([]byte, error) {
		return pbkdf2.Key(sha512.New, password, []byte(scramSalt), scramIterations, sha512.Size)
	}},
}
