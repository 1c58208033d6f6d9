package kafka

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"strconv"
	"strings"

	"github.com/segmentio/kafka-go/sasl"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// scram is SASL SCRAM without channel binding. Source: RFC 5802, RFC 7677.
type scram struct {
	name           string
	hash           func() hash.Hash
	user, password string
}

// The iterations that a broker may ask for: Kafka's least is 4096, and nobody may keep us computing.
const (
	fewestIterations = 4096
	mostIterations   = 1 << 20
)

// SCRAM is how to say who we are by scram-sha-256 or scram-sha-512. The password is ASCII: what RFC 4013 would make of anything else, it
// refuses.
func SCRAM(mechanism, user, password string) (sasl.Mechanism, error) {
	for _, s := range []string{user, password} {
		if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
			return nil, fmt.Errorf("%w: %s: user and password have to be printable ASCII", change.ErrPreflight, mechanism)
		}
	}
	switch mechanism {
	case "scram-sha-256":
		return &scram{name: "SCRAM-SHA-256", hash: sha256.New, user: user, password: password}, nil
	case "scram-sha-512":
		return &scram{name: "SCRAM-SHA-512", hash: sha512.New, user: user, password: password}, nil
	}
	return nil, fmt.Errorf("%w: sasl mechanism %q: want plain, scram-sha-256 or scram-sha-512", change.ErrPreflight, mechanism)
}

// Name is sasl.Mechanism.
func (s *scram) Name() string { return s.name }

// Start is sasl.Mechanism.
func (s *scram) Start(context.Context) (sasl.StateMachine, []byte, error) {
	x := &scramExchange{scram: s, nonce: rand.Text()}
	x.first = "n=" + strings.NewReplacer("=", "=3D", ",", "=2C").Replace(s.user) + ",r=" + x.nonce
	return x, []byte("n,," + x.first), nil
}

// scramExchange is one authentication.
type scramExchange struct {
	*scram
	nonce, first string
	server       []byte // the signature that the broker has to show; nil: its challenge hasn't come
}

var errScram = errors.New("the broker's SCRAM message is malformed")

// Next is sasl.StateMachine.
func (x *scramExchange) Next(_ context.Context, challenge []byte) (done bool, response []byte, err error) {
	if x.server == nil {
		response, err = x.answer(string(challenge))
		return false, response, err
	}
	text := string(challenge)
	if reason, ok := strings.CutPrefix(text, "e="); ok {
		return false, nil, fmt.Errorf("%w: %s: %s", change.ErrDenied, x.name, reason)
	}
	encoded, ok := strings.CutPrefix(text, "v=")
	shown, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil {
		return false, nil, errScram
	}
	if subtle.ConstantTimeCompare(shown, x.server) != 1 {
		return false, nil, fmt.Errorf("%w: %s: the broker doesn't know the password either: it is somebody else", change.ErrDenied, x.name)
	}
	return true, nil, nil
}

// answer proves that we know the password.
func (x *scramExchange) answer(challenge string) ([]byte, error) {
	nonce, rest, ok := strings.Cut(challenge, ",s=")
	salt64, count, ok2 := strings.Cut(rest, ",i=")
	salt, err := base64.StdEncoding.DecodeString(salt64)
	n, bad := strconv.Atoi(count)
	nonce, ok3 := strings.CutPrefix(nonce, "r=")
	if !ok || !ok2 || !ok3 || err != nil || bad != nil || len(nonce) <= len(x.nonce) || !strings.HasPrefix(nonce, x.nonce) {
		return nil, errScram
	}
	if n < fewestIterations || n > mostIterations {
		return nil, fmt.Errorf("%s: the broker asks for %d iterations, %d to %d are taken", x.name, n, fewestIterations, mostIterations)
	}
	salted, err := pbkdf2.Key(x.hash, x.password, salt, n, x.hash().Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", x.name, err)
	}
	final := "c=biws,r=" + nonce
	signed := x.first + "," + challenge + "," + final
	client := x.mac(salted, "Client Key")
	stored := x.hash()
	stored.Write(client)
	proof := make([]byte, len(client))
	subtle.XORBytes(proof, client, x.mac(stored.Sum(nil), signed))
	x.server = x.mac(x.mac(salted, "Server Key"), signed)
	out := bytes.NewBufferString(final + ",p=")
	out.WriteString(base64.StdEncoding.EncodeToString(proof))
	return out.Bytes(), nil
}

func (x *scramExchange) mac(key []byte, message string) []byte {
	m := hmac.New(x.hash, key)
	m.Write([]byte(message))
	return m.Sum(nil)
}
