package ingest

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/hookarr/hookarr/core/auth"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

const (
	signedIDWindow = 7 * 24 * time.Hour
	bodyWindow     = 10 * time.Minute
	// clockSlack is how far the clock of the database, by which keys are forgotten, may be
	// off from that by which signed times are judged.
	clockSlack = time.Minute
)

// windows say how long the events of a source are remembered.
type windows struct {
	// configured is for everything but signed ids; nil leaves it to the type.
	configured *time.Duration
}

func (w windows) orElse(usual time.Duration) time.Duration {
	if w.configured != nil {
		return *w.configured
	}
	return usual
}

// fingerprint is 0 for an event whose fingerprint says nothing.
func (w windows) fingerprint(e *event.Event) time.Duration {
	usual := fingerprintWindow(e.Type)
	if e.Fingerprint == "" || usual == 0 {
		return 0
	}
	return w.orElse(usual)
}

// body is 0 for an event whose body says nothing: that of a test, which is pressed again
// to see it arrive again; of what may end and begin again with an equal body, where the
// fingerprint says more; and of what does not name what failed or was deleted. Beside a
// fingerprint that is remembered as long, which equal bodies have in common, it is not
// worth a row.
func (w windows) body(e *event.Event) time.Duration {
	recurs := clears(e.Type) != "" && e.Fingerprint != ""
	nameless := (e.Type == sdk.TypeImportFailed || e.Type == sdk.TypeMediaDeleted) && e.Fingerprint == ""
	window := w.orElse(bodyWindow)
	if e.Type == sdk.TypeTest || recurs || nameless || w.fingerprint(e) >= window {
		return 0
	}
	return window
}

// requestKeys are the dedup keys that a request has by itself, decoded or not.
// What was signed with a time is remembered for as long as its time is let in, whatever
// the source takes for a repetition.
func requestKeys(e *event.Event, who auth.Identity, w windows) []store.DedupKey {
	var keys []store.DedupKey
	if who.SignedID != "" {
		keys = append(keys, store.DedupKey{Key: "id:" + who.SignedID, Window: max(signedIDWindow, who.Window+clockSlack)})
	}
	if who.IDSigned {
		return keys
	}
	if who.Message != "" {
		keys = append(keys, store.DedupKey{Key: "sig:" + who.Message, Window: who.Window + clockSlack})
	}
	if window := w.body(e); window > 0 {
		sum := sha256.Sum256(e.Request.Body)
		keys = append(keys, store.DedupKey{Key: bodyKind(e) + hex.EncodeToString(sum[:]), Window: window})
	}
	return keys
}

// bodyKind is what a body repeats: one that is understood repeats none that was not, with
// another Content-Type or before the source's configuration was mended.
func bodyKind(e *event.Event) string {
	if e.State == event.Undecodable || e.Type == sdk.TypeUnknown {
		return "unread:"
	}
	return "body:"
}

// eventKeys are the dedup keys of what happened, which take a decoder to know.
func eventKeys(e *event.Event, w windows) []store.DedupKey {
	window := w.fingerprint(e)
	if window == 0 {
		return nil
	}
	return []store.DedupKey{{Key: "fp:" + e.Fingerprint, Window: window}}
}

// fingerprintWindow is how long an event of the type is taken for a repetition of an
// equal one, and 0 for types whose fingerprints say nothing. Short windows are for
// what may well happen again; long ones are for what cannot, and is reported again by
// catch-up, or by an application after its restart.
func fingerprintWindow(t sdk.Type) time.Duration {
	switch t {
	case sdk.TypeTest, sdk.TypeUnknown:
		return 0
	case sdk.TypeHealthIssue, sdk.TypeHealthRestored, sdk.TypeFileDeleted, sdk.TypeFileDeletedForUpgrade:
		// A file may come back under the same path and be deleted again.
		return 10 * time.Minute
	case sdk.TypeReleaseGrabbed, sdk.TypeFileRenamed, sdk.TypeFileRetagged,
		sdk.TypeManualInteractionRequired, sdk.TypeAppUpdated:
		return 5 * time.Minute
	case sdk.TypeMediaImported, sdk.TypeMediaUpgraded, sdk.TypeImportCompleted, sdk.TypeImportFailed,
		sdk.TypeMediaDeleted, sdk.TypeMediaAdded,
		sdk.TypeDownloadFailed:
		return 24 * time.Hour
	default:
		// Types of plugins that are newer than this version.
		return 5 * time.Minute
	}
}

// clears names the type whose keys an event of type t frees: what was restored may
// break again, and what broke may be restored again.
func clears(t sdk.Type) sdk.Type {
	switch t {
	case sdk.TypeHealthIssue:
		return sdk.TypeHealthRestored
	case sdk.TypeHealthRestored:
		return sdk.TypeHealthIssue
	default:
		return ""
	}
}
