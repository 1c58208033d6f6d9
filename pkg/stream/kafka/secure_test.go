package kafka_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"
	"testing"

	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/stream/kafka"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestSecureListener: TLS and each way to say who we are, from open to read; and what a wrong one is called.
func TestSecureListener(t *testing.T) {
	t.Parallel()
	broker := testenv.StartSecureKafka(t)
	by := func(mechanism, user, password string) sasl.Mechanism {
		algorithms := map[string]scram.Algorithm{"scram-sha-256": scram.SHA256, "scram-sha-512": scram.SHA512}
		if mechanism == "plain" {
			return plain.Mechanism{Username: user, Password: password}
		}
		m, err := scram.Mechanism(algorithms[mechanism], user, password)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	trusted := &tls.Config{RootCAs: broker.Roots}
	cases := []struct {
		name string
		tls  *tls.Config
		sasl sasl.Mechanism
		want error
		says string
	}{
		{"plain", trusted, by("plain", testenv.KafkaUser, testenv.KafkaPassword), nil, ""},
		{"scram-sha-256", trusted, by("scram-sha-256", testenv.KafkaUser, testenv.KafkaPassword), nil, ""},
		{"scram-sha-512", trusted, by("scram-sha-512", testenv.KafkaUser, testenv.KafkaPassword), nil, ""},
		{"plain, wrong password", trusted, by("plain", testenv.KafkaUser, "wrong"), change.ErrDenied, "check user, password"},
		{"scram, wrong password", trusted, by("scram-sha-256", testenv.KafkaUser, "wrong"), change.ErrDenied, "check user, password"},
		{"scram, unknown user", trusted, by("scram-sha-512", "nobody", "wrong"), change.ErrDenied, "check user, password"},
		{"no password", trusted, nil, change.ErrUnreachable, ".sasl if the listener"},
		{"a certificate of somebody we don't trust", &tls.Config{RootCAs: x509.NewCertPool()}, by("plain", testenv.KafkaUser, testenv.KafkaPassword), change.ErrUnreachable, ".tls has to name the CA"},
		{"no TLS", nil, by("plain", testenv.KafkaUser, testenv.KafkaPassword), change.ErrUnreachable, ".tls if the listener"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cfg := config(broker.Broker, broker.Prefix(t))
			cfg.Brokers, cfg.TLS, cfg.SASL = []string{broker.Secure}, c.tls, c.sasl
			if c.want != nil {
				_, err := kafka.Open(t.Context(), cfg, quiet())
				if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
					t.Errorf("open: %v, want %v that says %q", err, c.want, c.says)
				}
				return
			}
			s := open(t, cfg)
			p := publisher(t, s, 1)
			publish(t, p, rows(orders(cfg.SourceID, "orders"), 1, 1, 30))
			acked(t, p, 1)
			closed(t, p)
			fetch(t, s, 30)
		})
	}
}
