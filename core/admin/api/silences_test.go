package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/store"
)

func TestSilences(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.remote(t, operateToken)
	list, err := c.ListSilences(t.Context())
	require.NoError(t, err)
	require.Empty(t, list)

	wanted := admin.NewSilence{Expression: `event.source == "sonarr"`, Target: "ops", For: "7d", Comment: "we move"}
	n, err := c.AddSilence(t.Context(), wanted, "once")
	require.NoError(t, err)
	require.Equal(t, admin.Silence{
		ID: n.ID, Expression: wanted.Expression, Target: "ops", State: "active", Who: "ci", Via: "token", Comment: "we move",
		StartsAt: n.StartsAt, EndsAt: n.StartsAt.Add(7 * 24 * time.Hour),
	}, n)
	again, err := c.AddSilence(t.Context(), wanted, "once")
	require.NoError(t, err)
	require.Equal(t, n.ID, again.ID)
	until := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	short, err := c.AddSilence(t.Context(), admin.NewSilence{Expression: "true", Until: &until}, "")
	require.NoError(t, err)
	require.Equal(t, until, short.EndsAt)
	list, err = r.remote(t, viewToken).ListSilences(t.Context())
	require.NoError(t, err)
	require.Equal(t, []admin.Silence{n, short}, list)

	ended, err := c.ExpireSilence(t.Context(), n.ID)
	require.NoError(t, err)
	require.Equal(t, "ended", ended.State)
	p := refused(t, http.StatusConflict, second(c.ExpireSilence(t.Context(), n.ID)))
	require.Equal(t, "expire silence: silence "+n.ID+" is over already", p.Detail)
	for _, id := range []string{"0197a2c4-0000-7000-8000-000000000001", "0197a2c4"} {
		_, err = c.ExpireSilence(t.Context(), id)
		require.NotNil(t, refused(t, http.StatusNotFound, err))
	}
	_, err = c.ExpireSilence(t.Context(), short.ID[:len(short.ID)-1])
	require.NoError(t, err, "the first digits do")

	actions, err := c.ListActions(t.Context(), admin.Page{Limit: 10})
	require.NoError(t, err)
	require.Len(t, actions.Items, 4)
	expired, added := actions.Items[1], actions.Items[3]
	require.Equal(t, store.ActionExpire, expired.What)
	require.Equal(t, n.ID, expired.Silence)
	require.Equal(t, store.ActionSilence, added.What)
	require.Equal(t, []string{n.ID, wanted.Expression, "ops", "we move"}, []string{added.Silence, added.When, added.Target, added.Reason})
	require.Equal(t, n.EndsAt, *added.Until)
}

func TestSilencesThatCannotBe(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.client(t)
	past, far := time.Now().Add(-time.Hour), time.Now().Add(400*24*time.Hour)
	for name, tt := range map[string]struct {
		wanted admin.NewSilence
		want   string
	}{
		"no expression":    {admin.NewSilence{Expression: " ", For: "2h"}, `give an expression over the event, such as event.source == "sonarr"; true is every event`},
		"a wrong field":    {admin.NewSilence{Expression: "event.sorce", For: "2h"}, `expression: column 7: an event has no field "sorce" here; did you mean "source"?`},
		"no condition":     {admin.NewSilence{Expression: "event.source", For: "2h"}, "write a condition"},
		"half of one":      {admin.NewSilence{Expression: "event.source ==", For: "2h"}, "column 15: it ends too early"},
		"another target":   {admin.NewSilence{Expression: "true", For: "2h", Target: "opps"}, `did you mean "ops"?`},
		"no end":           {admin.NewSilence{Expression: "true"}, "say how long it lasts, or when it ends: one of them"},
		"two ends":         {admin.NewSilence{Expression: "true", For: "2h", Until: &far}, "say how long it lasts, or when it ends: one of them"},
		"an end long ago":  {admin.NewSilence{Expression: "true", Until: &past}, "its end has passed already"},
		"no length":        {admin.NewSilence{Expression: "true", For: "soon"}, "for: want how long it lasts, such as 2h or 7d"},
		"a negative one":   {admin.NewSilence{Expression: "true", For: "-2h"}, "for: want how long it lasts, such as 2h or 7d"},
		"for years":        {admin.NewSilence{Expression: "true", For: "60w"}, "it would last for more than a year: change the routes instead"},
		"until a far year": {admin.NewSilence{Expression: "true", Until: &far}, "it would last for more than a year: change the routes instead"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := refused(t, http.StatusUnprocessableEntity, second(c.AddSilence(t.Context(), tt.wanted, "")))
			require.Contains(t, p.Detail, tt.want)
		})
	}
}

// second is the error of two results.
func second[T any](_ T, err error) error { return err }
