package sdk

import (
	"errors"
	"time"
)

// Class says what became of an attempt.
type Class string

// The outcome classes. The last three are given by hosts alone.
const (
	// ClassOK: the endpoint accepted the delivery.
	ClassOK Class = "ok"
	// ClassRetryable: another attempt is worth making.
	ClassRetryable Class = "retryable"
	// ClassThrottled: the endpoint asked for a pause.
	ClassThrottled Class = "throttled"
	// ClassPermanent: this delivery will never be taken.
	ClassPermanent Class = "permanent"
	// ClassMisconfigured: nothing will be taken until a person acts.
	ClassMisconfigured Class = "misconfigured"
	// ClassUnavailable: the plugin crashed or is restarting; no attempt is counted.
	ClassUnavailable Class = "unavailable"
	// ClassPluginBug: the plugin panicked or answered nonsense.
	ClassPluginBug Class = "plugin_bug"
	// ClassInterrupted: the host is shutting down; no attempt is counted.
	ClassInterrupted Class = "interrupted"
)

// classError gives an error its class.
type classError struct {
	class Class
	after time.Duration
	err   error
}

func (e *classError) Error() string { return e.err.Error() }
func (e *classError) Unwrap() error { return e.err }

// Permanent marks an error of Deliver: this event will never be taken. The
// delivery becomes a dead letter.
func Permanent(err error) error { return classify(ClassPermanent, 0, err) }

// Misconfigured marks an error of Deliver: nothing will be taken until a person
// acts. The target is put on hold.
func Misconfigured(err error) error { return classify(ClassMisconfigured, 0, err) }

// Throttled marks an error of Deliver: the endpoint wants no attempt before after
// has passed. Zero leaves the pause to the host.
func Throttled(after time.Duration, err error) error {
	return classify(ClassThrottled, max(after, 0), err)
}

// RetryAfter marks an error of Deliver as retryable, not before after has passed.
func RetryAfter(after time.Duration, err error) error {
	return classify(ClassRetryable, max(after, 0), err)
}

// Redeliver marks an error of Verify: what the endpoint had accepted is lost. The
// delivery is attempted again.
func Redeliver(err error) error {
	if err == nil {
		return nil
	}
	return &redeliverError{err}
}

// redeliverError says that an accepted delivery is to be attempted again.
type redeliverError struct{ err error }

func (e *redeliverError) Error() string { return e.err.Error() }
func (e *redeliverError) Unwrap() error { return e.err }

// AsksToRedeliver reports whether err was made by Redeliver.
func AsksToRedeliver(err error) bool {
	_, ok := errors.AsType[*redeliverError](err)
	return ok
}

func classify(class Class, after time.Duration, err error) error {
	if err == nil {
		return nil
	}
	return &classError{class: class, after: after, err: err}
}

// ClassOf returns the class of an error that Deliver returned, and the pause it
// asks for.
func ClassOf(err error) (Class, time.Duration) {
	if err == nil {
		return ClassOK, 0
	}
	if ce, ok := errors.AsType[*classError](err); ok {
		return ce.class, ce.after
	}
	return ClassRetryable, 0
}

// skipError says that a request is understood and no event is wanted.
type skipError struct{ reason string }

func (e *skipError) Error() string { return "skipped: " + e.reason }

// Skip is what Decode returns for a request that it understands and that makes no
// event.
func Skip(reason string) error { return &skipError{reason: reason} }

// SkipReason reports whether err was made by Skip, and its reason.
func SkipReason(err error) (string, bool) {
	se, ok := errors.AsType[*skipError](err)
	if !ok {
		return "", false
	}
	return se.reason, true
}

// invalidError says that a request will never decode.
type invalidError struct {
	test bool
	err  error
}

func (e *invalidError) Error() string { return e.err.Error() }
func (e *invalidError) Unwrap() error { return e.err }

// Invalid is what Decode returns for a request that will never decode. The
// request is kept as an undecodable event.
func Invalid(err error) error {
	if err == nil {
		return nil
	}
	return &invalidError{err: err}
}

// InvalidTest is Invalid for a request that is the sender's test of the
// connection: the person who pressed the button is told.
func InvalidTest(err error) error {
	if err == nil {
		return nil
	}
	return &invalidError{test: true, err: err}
}

// AsInvalid reports whether err was made by Invalid or InvalidTest, and by which.
func AsInvalid(err error) (test, ok bool) {
	ie, ok := errors.AsType[*invalidError](err)
	if !ok {
		return false, false
	}
	return ie.test, true
}
