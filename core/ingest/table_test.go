package ingest

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/auth"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// sha256 of the body {}, by sha256sum.
const emptyObject = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"

func TestDedupKeys(t *testing.T) {
	t.Parallel()
	const week, day = 7 * 24 * time.Hour, 24 * time.Hour
	body := store.DedupKey{Key: "body:" + emptyObject, Window: 10 * time.Minute}
	unread := store.DedupKey{Key: "unread:" + emptyObject, Window: 10 * time.Minute}
	id := store.DedupKey{Key: "id:msg_1", Window: week}
	fingerprint := func(window time.Duration) store.DedupKey { return store.DedupKey{Key: "fp:x", Window: window} }
	for typ, want := range map[sdk.Type]struct {
		keys   []store.DedupKey
		clears sdk.Type
	}{
		sdk.TypeTest:                      {nil, ""},
		sdk.TypeUnknown:                   {[]store.DedupKey{unread}, ""},
		sdk.TypeHealthIssue:               {[]store.DedupKey{fingerprint(10 * time.Minute)}, sdk.TypeHealthRestored},
		sdk.TypeHealthRestored:            {[]store.DedupKey{fingerprint(10 * time.Minute)}, sdk.TypeHealthIssue},
		sdk.TypeReleaseGrabbed:            {[]store.DedupKey{body, fingerprint(5 * time.Minute)}, ""},
		sdk.TypeFileRenamed:               {[]store.DedupKey{body, fingerprint(5 * time.Minute)}, ""},
		sdk.TypeFileRetagged:              {[]store.DedupKey{body, fingerprint(5 * time.Minute)}, ""},
		sdk.TypeManualInteractionRequired: {[]store.DedupKey{body, fingerprint(5 * time.Minute)}, ""},
		sdk.TypeAppUpdated:                {[]store.DedupKey{body, fingerprint(5 * time.Minute)}, ""},
		sdk.TypeMediaImported:             {[]store.DedupKey{fingerprint(day)}, ""},
		sdk.TypeMediaUpgraded:             {[]store.DedupKey{fingerprint(day)}, ""},
		sdk.TypeImportCompleted:           {[]store.DedupKey{fingerprint(day)}, ""},
		sdk.TypeImportFailed:              {[]store.DedupKey{fingerprint(day)}, ""},
		sdk.TypeDownloadFailed:            {[]store.DedupKey{fingerprint(day)}, ""},
		sdk.TypeFileDeleted:               {[]store.DedupKey{fingerprint(10 * time.Minute)}, ""},
		sdk.TypeFileDeletedForUpgrade:     {[]store.DedupKey{fingerprint(10 * time.Minute)}, ""},
		sdk.TypeMediaAdded:                {[]store.DedupKey{fingerprint(day)}, ""},
		sdk.TypeMediaDeleted:              {[]store.DedupKey{fingerprint(day)}, ""},
		"made.up":                         {[]store.DedupKey{body, fingerprint(5 * time.Minute)}, ""},
	} {
		t.Run(string(typ), func(t *testing.T) {
			t.Parallel()
			e := event.Event{Type: typ, Fingerprint: "x", Request: event.Request{Body: []byte("{}")}}
			keys := func(who auth.Identity, w windows) []store.DedupKey {
				return append(requestKeys(&e, who, w), eventKeys(&e, w)...)
			}
			require.Equal(t, want.keys, keys(auth.Identity{}, windows{}))
			require.Equal(t, append([]store.DedupKey{id}, want.keys...), keys(auth.Identity{SignedID: "msg_1"}, windows{}))
			require.Equal(t, want.clears, clears(typ))

			e.Fingerprint = ""
			require.Empty(t, eventKeys(&e, windows{}))
			switch typ {
			case sdk.TypeTest, sdk.TypeImportFailed, sdk.TypeMediaDeleted:
				require.Empty(t, requestKeys(&e, auth.Identity{}, windows{}))
			case sdk.TypeUnknown:
				require.Equal(t, []store.DedupKey{unread}, requestKeys(&e, auth.Identity{}, windows{}))
			default:
				require.Equal(t, []store.DedupKey{body}, requestKeys(&e, auth.Identity{}, windows{}))
			}
		})
	}
	for _, typ := range sdk.Types() {
		require.True(t, typ == sdk.TypeTest || typ == sdk.TypeUnknown || fingerprintWindow(typ) > 0, typ)
	}
}

func TestConfiguredDedupWindow(t *testing.T) {
	t.Parallel()
	const hour = time.Hour
	unread := store.DedupKey{Key: "unread:" + emptyObject, Window: hour}
	fingerprint := store.DedupKey{Key: "fp:x", Window: hour}
	id := store.DedupKey{Key: "id:msg_1", Window: signedIDWindow}
	unsigned := auth.Identity{SignedID: "msg_1"}
	set := func(d time.Duration) windows { return windows{configured: &d} }
	for typ, want := range map[sdk.Type][]store.DedupKey{
		sdk.TypeTest:            {id},
		sdk.TypeUnknown:         {id, unread},
		sdk.TypeHealthIssue:     {id, fingerprint},
		sdk.TypeReleaseGrabbed:  {id, fingerprint},
		sdk.TypeMediaImported:   {id, fingerprint},
		sdk.TypeDownloadFailed:  {id, fingerprint},
		sdk.Type("of.a.plugin"): {id, fingerprint},
	} {
		e := event.Event{Type: typ, Fingerprint: "x", Request: event.Request{Body: []byte("{}")}}
		require.Equal(t, want, append(requestKeys(&e, unsigned, set(hour)), eventKeys(&e, set(hour))...), typ)
		require.Equal(t, []store.DedupKey{id}, append(requestKeys(&e, unsigned, set(0)), eventKeys(&e, set(0))...), typ)
		e.Fingerprint = ""
		require.Empty(t, requestKeys(&e, auth.Identity{}, set(0)), typ)
	}
}

// What was signed with a time is remembered for longer than its time is let in, and a
// signed id alone tells what is a repetition.
func TestKeysOfSignedRequests(t *testing.T) {
	t.Parallel()
	const week = 7 * 24 * time.Hour
	never := time.Duration(0)
	for name, tc := range map[string]struct {
		who  auth.Identity
		want []store.DedupKey
	}{
		"signed id": {auth.Identity{SignedID: "m", IDSigned: true, Window: 10 * time.Minute}, []store.DedupKey{{Key: "id:m", Window: signedIDWindow}}},
		"signed id, long tolerance": {
			auth.Identity{SignedID: "m", IDSigned: true, Window: 2 * week}, []store.DedupKey{{Key: "id:m", Window: 2*week + clockSlack}},
		},
		"signed time": {auth.Identity{Message: "x", Window: 2 * time.Hour}, []store.DedupKey{{Key: "sig:x", Window: 2*time.Hour + clockSlack}}},
		"signed time, id of its own": {
			auth.Identity{SignedID: "m", Message: "x", Window: 2 * time.Hour},
			[]store.DedupKey{{Key: "id:m", Window: signedIDWindow}, {Key: "sig:x", Window: 2*time.Hour + clockSlack}},
		},
		"neither": {auth.Identity{}, nil},
	} {
		e := event.Event{Type: sdk.TypeMediaAdded, Request: event.Request{Body: []byte("{}")}}
		require.Equal(t, tc.want, requestKeys(&e, tc.who, windows{configured: &never}), name)
		body := store.DedupKey{Key: "body:" + emptyObject, Window: bodyWindow}
		if !tc.who.IDSigned {
			tc.want = append(tc.want, body)
		}
		require.Equal(t, tc.want, requestKeys(&e, tc.who, windows{}), name)
	}
}

func TestSuspectsAreBounded(t *testing.T) {
	t.Parallel()
	var s suspects
	for range maxSuspects + 10 {
		id := event.NewID()
		s.add(id)
		require.True(t, s.has(id))
	}
	require.Len(t, s.events, maxSuspects)
}

func TestLengthThatLies(t *testing.T) {
	t.Parallel()
	b := newBodies(64<<10, 80<<10, time.Minute)
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("longer than it says"))
	r.ContentLength = 3
	_, held, err := b.read(t.Context(), r, sender{})
	require.ErrorIs(t, err, errTooLarge)
	held.release()
}

func TestRefusedClientsAreBounded(t *testing.T) {
	t.Parallel()
	var m missed
	for i := range 2 * maxRefused {
		m.note(netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 32), false)
	}
	require.Len(t, m.refused, maxRefused)
}
