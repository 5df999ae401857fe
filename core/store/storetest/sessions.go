package storetest

import (
	"crypto/sha256"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/store"
)

func secretID(text string) store.SecretID { return sha256.Sum256([]byte(text)) }

// session adds one of ann by a token.
func session(t *testing.T, s *store.Store, secret string, former store.SecretID) store.Session {
	t.Helper()
	n := store.Session{ID: secretID(secret), Who: "ann", Via: "token", Role: "view", Agent: "a\x00 browser", Proof: []byte{1, 2}}
	require.NoError(t, s.AddSession(t.Context(), &n, former))
	n.Agent = "a\uFFFD browser"
	return n
}

func sessions(t *testing.T, s *store.Store) []store.SecretID {
	t.Helper()
	list, err := s.ListSessions(t.Context())
	require.NoError(t, err)
	ids := []store.SecretID{}
	for _, n := range list {
		ids = append(ids, n.ID)
	}
	return ids
}

func testSessions(t *testing.T, db Database) {
	require.Empty(t, sessions(t, db.Store))
	one := session(t, db.Store, "one", store.SecretID{})
	found, now, err := db.Store.FindSession(t.Context(), one.ID)
	require.NoError(t, err)
	require.Equal(t, one, found)
	require.Equal(t, store.SessionIdle, one.ExpiresAt.Sub(one.CreatedAt))
	require.WithinDuration(t, now, one.CreatedAt, time.Minute)
	_, _, err = db.Store.FindSession(t.Context(), secretID("two"))
	require.ErrorIs(t, err, store.ErrNotFound)

	// A sign-in takes the place of the former one.
	two := session(t, db.Store, "two", one.ID)
	require.Equal(t, []store.SecretID{two.ID}, sessions(t, db.Store))
	_, _, err = db.Store.FindSession(t.Context(), one.ID)
	require.ErrorIs(t, err, store.ErrNotFound)

	require.NoError(t, db.Store.EndSession(t.Context(), two.ID))
	require.NoError(t, db.Store.EndSession(t.Context(), two.ID), "it is over already")
	require.Empty(t, sessions(t, db.Store))
}

func testSessionsExpire(t *testing.T, db Database) {
	n := session(t, db.Store, "one", store.SecretID{})
	find := func() (store.Session, error) {
		found, _, err := db.Store.FindSession(t.Context(), n.ID)
		return found, err
	}
	// Statements of both databases know a length of time from columns alone.
	change := func(statement string) { require.Positive(t, db.Exec(t, statement)) }

	// Use makes it last.
	change("UPDATE sessions SET seen_at = seen_at - (expires_at - seen_at), expires_at = expires_at - 0.5 * (expires_at - created_at)")
	require.NoError(t, db.Store.TouchSession(t.Context(), n.ID))
	found, err := find()
	require.NoError(t, err)
	require.False(t, found.SeenAt.Before(n.SeenAt))
	require.False(t, found.ExpiresAt.Before(n.ExpiresAt))

	// But no longer than any may.
	change("UPDATE sessions SET created_at = created_at - 29.5 * (expires_at - seen_at), seen_at = seen_at - (expires_at - seen_at)")
	require.NoError(t, db.Store.TouchSession(t.Context(), n.ID))
	found, err = find()
	require.NoError(t, err)
	require.Equal(t, store.SessionAge, found.ExpiresAt.Sub(found.CreatedAt))

	// What has expired is not there, whatever is done with it.
	change("UPDATE sessions SET expires_at = created_at")
	_, err = find()
	require.ErrorIs(t, err, store.ErrNotFound)
	require.NoError(t, db.Store.TouchSession(t.Context(), n.ID))
	_, err = find()
	require.ErrorIs(t, err, store.ErrNotFound)
	require.Empty(t, sessions(t, db.Store))
	_, err = db.Store.RevokeSessions(t.Context(), action(store.ActionRevoke), []store.SecretID{n.ID})
	require.ErrorIs(t, err, store.ErrNotFound)

	fresh := session(t, db.Store, "two", store.SecretID{})
	_, err = db.Store.AddLink(t.Context(), action(store.ActionLink), secretID("link"), "root")
	require.NoError(t, err)
	p, err := db.Store.Purge(t.Context(), store.Retention{Events: time.Hour, DeadLetters: time.Hour}, 100)
	require.NoError(t, err)
	require.Equal(t, 1, p.Sessions)
	require.Equal(t, []store.SecretID{fresh.ID}, sessions(t, db.Store))
	change("UPDATE sign_in_links SET expires_at = (SELECT min(created_at) FROM sessions)")
	p, err = db.Store.Purge(t.Context(), store.Retention{Events: time.Hour, DeadLetters: time.Hour}, 100)
	require.NoError(t, err)
	require.Equal(t, 1, p.Sessions)
}

func testRevoke(t *testing.T, db Database) {
	one, two, three := session(t, db.Store, "one", store.SecretID{}), session(t, db.Store, "two", store.SecretID{}), session(t, db.Store, "three", store.SecretID{})
	a := action(store.ActionRevoke)
	n, err := db.Store.RevokeSessions(t.Context(), a, []store.SecretID{one.ID, secretID("none")})
	require.NoError(t, err)
	require.Equal(t, 1, n)
	stored, err := db.Store.FindAction(t.Context(), a.ID)
	require.NoError(t, err)
	require.Equal(t, *a, stored)
	require.Equal(t, 1, stored.Done)

	_, err = db.Store.AddLink(t.Context(), action(store.ActionLink), secretID("link"), "root")
	require.NoError(t, err)
	n, err = db.Store.RevokeOthers(t.Context(), action(store.ActionRevoke), three.ID)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Equal(t, []store.SecretID{three.ID}, sessions(t, db.Store))
	_, _, err = db.Store.FindSession(t.Context(), two.ID)
	require.ErrorIs(t, err, store.ErrNotFound)
	late := store.Session{ID: secretID("late"), Via: "link", Role: "operate", Proof: []byte{1}}
	require.ErrorIs(t, db.Store.RedeemLink(t.Context(), secretID("link"), &late, store.SecretID{}), store.ErrNotFound, "a link would be a way back in")

	// Links go where there is no session, too.
	_, err = db.Store.AddLink(t.Context(), action(store.ActionLink), secretID("another"), "root")
	require.NoError(t, err)
	n, err = db.Store.RevokeOthers(t.Context(), action(store.ActionRevoke), three.ID)
	require.NoError(t, err)
	require.Zero(t, n)
	_, err = db.Store.FindLink(t.Context(), secretID("another"))
	require.ErrorIs(t, err, store.ErrNotFound)

	// What ends nothing leaves no trace.
	refused := action(store.ActionRevoke)
	_, err = db.Store.RevokeSessions(t.Context(), refused, []store.SecretID{one.ID})
	require.ErrorIs(t, err, store.ErrNotFound)
	_, err = db.Store.FindAction(t.Context(), refused.ID)
	require.ErrorIs(t, err, store.ErrNotFound)
}

func testLinks(t *testing.T, db Database) {
	a := action(store.ActionLink)
	expires, err := db.Store.AddLink(t.Context(), a, secretID("link"), "root")
	require.NoError(t, err)
	require.Equal(t, store.LinkAge, expires.Sub(a.CreatedAt))
	stored, err := db.Store.FindAction(t.Context(), a.ID)
	require.NoError(t, err)
	require.Equal(t, expires, stored.Args.Until)

	has := func(link string) bool {
		who, err := db.Store.FindLink(t.Context(), secretID(link))
		if errors.Is(err, store.ErrNotFound) {
			return false
		}
		require.NoError(t, err)
		return who == "root"
	}
	require.True(t, has("link"))
	require.False(t, has("other"))

	former := session(t, db.Store, "former", store.SecretID{})
	n := store.Session{ID: secretID("one"), Via: "link", Role: "operate", Proof: []byte{1}}
	require.NoError(t, db.Store.RedeemLink(t.Context(), secretID("link"), &n, former.ID))
	require.Equal(t, "root", n.Who)
	found, _, err := db.Store.FindSession(t.Context(), n.ID)
	require.NoError(t, err)
	require.Equal(t, n, found)
	require.Equal(t, []store.SecretID{n.ID}, sessions(t, db.Store))

	require.False(t, has("link"))
	again := store.Session{ID: secretID("two"), Via: "link", Role: "operate", Proof: []byte{1}}
	require.ErrorIs(t, db.Store.RedeemLink(t.Context(), secretID("link"), &again, n.ID), store.ErrNotFound)
	require.Equal(t, []store.SecretID{n.ID}, sessions(t, db.Store), "a refused link ends no session")

	_, err = db.Store.AddLink(t.Context(), action(store.ActionLink), secretID("old"), "root")
	require.NoError(t, err)
	require.Positive(t, db.Exec(t, "UPDATE sign_in_links SET expires_at = (SELECT min(created_at) FROM sessions)"))
	require.False(t, has("old"))
	require.ErrorIs(t, db.Store.RedeemLink(t.Context(), secretID("old"), &again, store.SecretID{}), store.ErrNotFound)
}

// testLinkRaces: of many that redeem one link on two nodes, one does.
func testLinkRaces(t *testing.T, db Database) {
	_, err := db.Store.AddLink(t.Context(), action(store.ActionLink), secretID("link"), "root")
	require.NoError(t, err)
	nodes := []*store.Store{db.Store, db.Reopen(t)}
	var won atomic.Int32
	var redeemers sync.WaitGroup
	for i := range 16 {
		redeemers.Go(func() {
			n := store.Session{ID: secretID(strconv.Itoa(i)), Via: "link", Role: "operate", Proof: []byte{1}}
			switch err := nodes[i%2].RedeemLink(t.Context(), secretID("link"), &n, store.SecretID{}); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, store.ErrNotFound):
				t.Errorf("redeem: %s", err)
			}
		})
	}
	redeemers.Wait()
	require.EqualValues(t, 1, won.Load())
	require.Len(t, sessions(t, db.Store), 1)
}
