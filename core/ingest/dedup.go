package ingest

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

const (
	signedIDWindow = 7 * 24 * time.Hour
	bodyWindow     = 10 * time.Minute
)

// requestKeys are the dedup keys that a request has by itself, decoded or not. The body
// says nothing of a test, which is pressed again to see it arrive again, nothing more
// than the fingerprint of what may end and begin again with an equal body, and nothing
// where it does not name what failed or was deleted.
func requestKeys(e *event.Event, signedID string) []store.DedupKey {
	var keys []store.DedupKey
	if signedID != "" {
		keys = append(keys, store.DedupKey{Key: "id:" + signedID, Window: signedIDWindow})
	}
	recurs := clears(e.Type) != "" && e.Fingerprint != ""
	nameless := (e.Type == sdk.TypeImportFailed || e.Type == sdk.TypeMediaDeleted) && e.Fingerprint == ""
	if e.Type != sdk.TypeTest && !recurs && !nameless {
		sum := sha256.Sum256(e.Request.Body)
		keys = append(keys, store.DedupKey{Key: "body:" + hex.EncodeToString(sum[:]), Window: bodyWindow})
	}
	return keys
}

// eventKeys are the dedup keys of what happened, which take a decoder to know.
func eventKeys(e *event.Event) []store.DedupKey {
	window := fingerprintWindow(e.Type)
	if e.Fingerprint == "" || window == 0 {
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
