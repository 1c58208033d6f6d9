package kafka

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// TestScramExchange is the example of RFC 7677, and what a broker that isn't the one it claims to be may send.
func TestScramExchange(t *testing.T) {
	t.Parallel()
	const (
		nonce     = "rOprNGfwEbeRWgbNEkqO"
		challenge = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
		proof     = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
		verifier  = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
	)
	cases := []struct {
		name, challenge, final string
		want                   error
	}{
		{"the example", challenge, verifier, nil},
		{"another signature", challenge, "v=" + strings.Repeat("A", 43) + "=", change.ErrDenied},
		{"refused", challenge, "e=invalid-proof", change.ErrDenied},
		{"no verifier", challenge, "x", errScram},
		{"a nonce that isn't ours", strings.Replace(challenge, "rOpr", "xOpr", 1), "", errScram},
		{"only our nonce", "r=" + nonce + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "", errScram},
		{"no salt", "r=" + nonce + "x,i=4096", "", errScram},
		{"nothing", "", "", errScram},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m, err := SCRAM("scram-sha-256", "user", "pencil")
			if err != nil {
				t.Fatal(err)
			}
			x := &scramExchange{scram: m.(*scram), nonce: nonce, first: "n=user,r=" + nonce}
			_, answer, err := x.Next(context.Background(), []byte(c.challenge))
			if c.final == "" {
				if !errors.Is(err, c.want) {
					t.Errorf("answered %q, %v", answer, err)
				}
				return
			}
			if err != nil || string(answer) != proof {
				t.Fatalf("answered %q, %v", answer, err)
			}
			if done, _, err := x.Next(context.Background(), []byte(c.final)); !errors.Is(err, c.want) || done != (c.want == nil) {
				t.Errorf("ended %v with %v, want %v", done, err, c.want)
			}
		})
	}
	for _, n := range []string{"1", "4095", "2000000", "-1"} {
		m, _ := SCRAM("scram-sha-256", "user", "pencil")
		x := &scramExchange{scram: m.(*scram), nonce: nonce, first: "n=user,r=" + nonce}
		if _, _, err := x.Next(context.Background(), []byte(strings.Replace(challenge, "4096", n, 1))); err == nil {
			t.Errorf("%s iterations were taken", n)
		}
	}
	for _, user := range []string{"j\u00fcrgen", "a\nb"} {
		if _, err := SCRAM("scram-sha-256", user, "p"); !errors.Is(err, change.ErrPreflight) {
			t.Errorf("user %q: %v", user, err)
		}
	}
	if _, err := SCRAM("oauthbearer", "u", "p"); !errors.Is(err, change.ErrPreflight) {
		t.Errorf("an unknown mechanism: %v", err)
	}
}
