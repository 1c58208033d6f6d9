package kafka

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// classify wraps a broker's code into what it asks of whoever runs the loop; a passing one stays as it is.
func classify(code kafkago.Error) error {
	switch code {
	case kafkago.InvalidProducerEpoch, kafkago.ProducerFenced:
		return fmt.Errorf("%w: %w", change.ErrFenced, code)
	case kafkago.TopicAuthorizationFailed, kafkago.GroupAuthorizationFailed, kafkago.ClusterAuthorizationFailed,
		kafkago.TransactionalIDAuthorizationFailed, kafkago.SASLAuthenticationFailed, kafkago.UnsupportedSASLMechanism:
		return fmt.Errorf("%w: %w", change.ErrDenied, code)
	}
	return code
}

// passing says that the same request may succeed later, perhaps at another broker: a code that brokers give while leaders or coordinators
// move, or no answer at all.
func passing(err error) bool {
	for _, sentinel := range []error{change.ErrFenced, change.ErrDenied, change.ErrHalt, change.ErrGap, change.ErrPreflight, errClosed,
		errOldBroker, errBegin, context.Canceled} {
		if errors.Is(err, sentinel) {
			return false
		}
	}
	code, ok := errors.AsType[kafkago.Error](err)
	if !ok {
		return true
	}
	switch code {
	case kafkago.InvalidMessage, kafkago.UnknownTopicOrPartition, kafkago.LeaderNotAvailable, kafkago.NotLeaderForPartition,
		kafkago.RequestTimedOut, kafkago.BrokerNotAvailable, kafkago.ReplicaNotAvailable, kafkago.NetworkException,
		kafkago.GroupLoadInProgress, kafkago.GroupCoordinatorNotAvailable, kafkago.NotCoordinatorForGroup,
		kafkago.NotEnoughReplicas, kafkago.NotEnoughReplicasAfterAppend, kafkago.NotController, kafkago.ConcurrentTransactions,
		kafkago.TransactionCoordinatorFenced, kafkago.KafkaStorageError, kafkago.FencedLeaderEpoch, kafkago.UnknownLeaderEpoch,
		kafkago.OffsetNotAvailable, kafkago.PreferredLeaderNotAvailable, kafkago.EligibleLeadersNotAvailable,
		kafkago.ThrottlingQuotaExceeded, kafkago.InvalidReplicationFactor:
		return true
	}
	return false
}

// unreachable marks an error of the connection as such, and leaves what a broker said alone.
func unreachable(err error) error {
	code, ok := errors.AsType[kafkago.Error](err)
	switch {
	case ok:
		return classify(code)
	case errors.Is(err, context.Canceled), errors.Is(err, errClosed), errors.Is(err, errOldBroker), errors.Is(err, change.ErrDenied):
		return err
	}
	return fmt.Errorf("%w: %w", change.ErrUnreachable, err)
}

// hint adds to why the cluster couldn't be talked to what most likely has to be set.
func (c *Config) hint(err error) error {
	var untrusted x509.UnknownAuthorityError
	var name x509.HostnameError
	switch {
	case errors.Is(err, change.ErrDenied):
		return fmt.Errorf("%w: check user, password and mechanism in %s", err, c.setting("sasl"))
	case errors.As(err, &untrusted):
		return fmt.Errorf("%w: %s has to name the CA that signed the brokers' certificates", err, c.setting("tls"))
	case errors.As(err, &name):
		return fmt.Errorf("%w: the brokers' certificates have to carry the names of their advertised listeners", err)
	case errors.Is(err, io.ErrUnexpectedEOF) && c.TLS == nil:
		return fmt.Errorf("%w: set %s if the listener wants TLS", err, c.setting("tls"))
	case (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)) && c.SASL == nil:
		return fmt.Errorf("%w: the broker closed the connection; set %s if the listener wants a password", err, c.setting("sasl"))
	}
	return err
}

// backOff is a pause that doubles from backOffFirst to backOffLast.
type backOff struct{ last time.Duration }

// wait pauses, or returns ctx's error.
func (b *backOff) wait(ctx context.Context) error {
	b.last = min(max(2*b.last, backOffFirst), backOffLast)
	t := time.NewTimer(b.last)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// retryFor bounds how long an opening step is tried again; then its last error is returned.
const retryFor = 30 * time.Second

// retry calls f until it succeeds, fails for good, ctx ends or retryFor is over.
func (c *client) retry(ctx context.Context, f func() error) error {
	end := time.Now().Add(retryFor)
	var pause backOff
	for {
		err := f()
		if err == nil || !passing(err) || ctx.Err() != nil || time.Now().After(end) {
			return err
		}
		if pause.wait(ctx) != nil {
			return err
		}
	}
}
