package fakearr_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakearr"
)

func TestWhisparrV2KnowsNoHeaders(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	client := serve(t, fakearr.New(fakearr.WhisparrV2, fakearr.Options{}))
	status, body := client.do(http.MethodPost, "/api/v3/notification", fmt.Sprintf(`{"name":"a","implementation":"Webhook",
		"configContract":"WebhookSettings","onGrab":true,"fields":[{"name":"url","value":%q},
		{"name":"headers","value":[{"key":"X-Token","value":"abc"}]}]}`, r.URL))
	require.Equal(t, http.StatusCreated, status, "what it does not know it ignores")
	require.NotContains(t, body, "headers")
	require.Empty(t, r.Got()[0].header.Get("X-Token"))
}

func TestWhisparrV2DoesNotEnableAConnectionForRenamesOnly(t *testing.T) {
	t.Parallel()
	for app, want := range map[fakearr.App]int{fakearr.WhisparrV2: 0, fakearr.Sonarr: 2} {
		r := newReceiver(t)
		a := fakearr.New(app, fakearr.Options{})
		client := serve(t, a)
		status, body := client.do(http.MethodPost, notifications(app), only("a", r.URL, `"onRename":true`))
		require.Equal(t, http.StatusCreated, status, body)
		title, err := a.Add(t.Context(), movie())
		require.NoError(t, err)
		_, err = a.Scan(t.Context(), title.ID)
		require.NoError(t, err)
		require.NoError(t, a.Rename(t.Context(), title.ID, "!"))
		require.Len(t, r.Got(), want, app)
	}
}

func TestWhisparrV2TakesTheIDOfAnUpdateFromTheBody(t *testing.T) {
	t.Parallel()
	for app, want := range map[fakearr.App]int{fakearr.WhisparrV2: http.StatusNotFound, fakearr.WhisparrV3: http.StatusAccepted} {
		a := fakearr.New(app, fakearr.Options{})
		a.Connect("a", "http://127.0.0.1:1/")
		client := serve(t, a)
		status, body := client.do(http.MethodPut, notifications(app)+"/1", only("b", "http://127.0.0.1:1/", `"onGrab":false`))
		require.Equal(t, want, status, body)
	}
}

func TestWhisparrV3FailsBeforeItSendsWithoutAReleaseDate(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	a := fakearr.New(fakearr.WhisparrV3, fakearr.Options{})
	a.Connect("Hookarr", r.URL)
	_, err := a.Add(t.Context(), fakearr.Title{Name: "Undated"})
	require.NoError(t, err)
	require.Empty(t, r.Got())
	require.Equal(t, 1, a.Count(fakearr.Failed))
	require.Empty(t, a.Events()[0].Body)
}

func TestWhisparrV3TellsOfScansAndNotOfManualDeletions(t *testing.T) {
	t.Parallel()
	for app, want := range map[fakearr.App][]string{
		fakearr.Radarr:     {"MovieAdded", "MovieFileDelete"},
		fakearr.WhisparrV3: {"MovieAdded", "Download"},
	} {
		r := newReceiver(t)
		a := fakearr.New(app, fakearr.Options{})
		a.Connect("Hookarr", r.URL)
		title, err := a.Add(t.Context(), movie())
		require.NoError(t, err)
		files, err := a.Scan(t.Context(), title.ID)
		require.NoError(t, err)
		require.NoError(t, a.DeleteFile(t.Context(), files[0].ID, fakearr.Manual))
		require.Equal(t, want, r.Types(t), app)
	}
}

func TestWhisparrV3ForgivesAFailureToTellOfManualInteraction(t *testing.T) {
	t.Parallel()
	for app, want := range map[fakearr.App]fakearr.Outcome{fakearr.Radarr: fakearr.Dropped, fakearr.WhisparrV3: fakearr.Refused} {
		r, c := newReceiver(t), newClock()
		r.Answer(http.StatusInternalServerError)
		a := fakearr.New(app, fakearr.Options{Now: c.Now})
		title, err := a.Add(t.Context(), movie())
		require.NoError(t, err)
		var downloads []fakearr.Download
		for range 3 {
			d, err := a.Grab(t.Context(), title.ID, fakearr.Release{})
			require.NoError(t, err)
			downloads = append(downloads, d)
		}
		a.Connect("Hookarr", r.URL)
		for _, d := range downloads {
			require.NoError(t, a.NeedManualInteraction(t.Context(), d.ID, "Title mismatch"))
			c.Pass(4 * time.Minute)
		}
		require.NoError(t, a.Delete(t.Context(), title.ID, false))
		events := a.Events()
		require.Equal(t, want, events[len(events)-1].Posts[0].Outcome, app)
	}
}
