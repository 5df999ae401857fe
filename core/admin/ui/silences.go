package ui

import (
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/route"
	"github.com/hookarr/hookarr/sdk"
)

// silencesPage is what the page of silences shows.
type silencesPage struct {
	Active, Ended []admin.Silence
	Targets       []string
	Form          silenceForm
}

// silenceForm is a silence as it is written into the form.
type silenceForm struct {
	Expression, Target, For, Until, Comment string
	// Problems are what is wrong, by field; that of no field is under "".
	Problems map[string]string
	// Trial is there once the expression was tried.
	Trial *admin.SilenceTrial
}

func (u *UI) silencePages() {
	u.page("GET /silences", "silences", config.RoleView, u.listSilences)
	u.action("POST /silences", config.RoleOperate, u.addSilence)
	u.action("POST /silences/{id}/expire", config.RoleOperate, u.expireSilence)
}

func (u *UI) listSilences(r *http.Request) (view, error) {
	form := silenceForm{Problems: map[string]string{}, For: "2h"}
	if q := r.URL.Query(); q.Has("expression") {
		form = readSilence(q.Get)
		maps.DeleteFunc(form.Problems, func(field, _ string) bool { return field != "expression" }) // it is only tried
		if admin.PrincipalOf(r.Context()).May(config.RoleOperate) && !partly(r) {
			if err := u.trySilence(r, &form); err != nil {
				return view{}, err
			}
		}
	}
	v, err := u.silences(r, form)
	v.Changes = []string{"silences"}
	return v, err
}

func (u *UI) silences(r *http.Request, form silenceForm) (view, error) {
	all, err := u.Service.ListSilences(r.Context())
	page := silencesPage{Targets: u.targets(), Form: form}
	for _, s := range all {
		if s.State == admin.SilenceActive {
			page.Active = append(page.Active, s)
		} else {
			page.Ended = append(page.Ended, s)
		}
	}
	return view{Title: "Silences", Data: page}, err
}

// trySilence says which of the last events a silence would be of.
func (u *UI) trySilence(r *http.Request, form *silenceForm) error {
	if form.Problems["expression"] != "" {
		return nil
	}
	trial, err := u.Service.TrySilence(r.Context(), form.Expression)
	if p, ok := u.refusal(err); ok {
		form.Problems["expression"] = strings.TrimPrefix(p.Detail, "expression: ")
		return nil
	}
	form.Trial = &trial
	return err
}

// readSilence reads a form, and finds what is wrong with its fields.
func readSilence(field func(string) string) silenceForm {
	form := silenceForm{
		Expression: strings.TrimSpace(field("expression")), Target: field("target"), For: strings.TrimSpace(field("for")),
		Until: field("until"), Comment: strings.TrimSpace(field("comment")), Problems: map[string]string{},
	}
	if form.Expression == "" {
		form.Problems["expression"] = `give an expression over the event, such as event.source == "sonarr"; true is every event`
	} else if _, err := route.Compile(form.Expression); err != nil {
		form.Problems["expression"] = err.Error()
	}
	if d, err := sdk.ParseDuration(form.For); form.For != "" && (err != nil || d <= 0) {
		form.Problems["for"] = "want how long it lasts, such as 2h or 7d"
	}
	_, ok := admin.ReadClock(form.Until, time.UTC)
	switch {
	case form.Until == "":
		if form.For == "" {
			form.Problems["for"] = "say how long it lasts, or until when"
		}
	case !ok:
		form.Problems["until"] = "want a date and a time in UTC, such as 2027-01-31 18:00"
	case form.For != "":
		form.Problems["until"] = "say how long it lasts, or until when: leave one of them empty"
	}
	return form
}

func (u *UI) addSilence(_ http.ResponseWriter, r *http.Request) (done, error) {
	form := readSilence(r.PostFormValue)
	if len(form.Problems) > 0 {
		return u.silenceAgain(r, form, http.StatusUnprocessableEntity)
	}
	wanted := admin.NewSilence{Expression: form.Expression, Target: form.Target, For: form.For, Comment: form.Comment}
	if form.Until != "" {
		end, _ := admin.ReadClock(form.Until, time.UTC) // read above
		wanted.Until = &end
	}
	added, err := u.Service.AddSilence(r.Context(), admin.PrincipalOf(r.Context()), wanted)
	if p, ok := u.refusal(err); ok {
		form.Problems[""] = p.Detail
		return u.silenceAgain(r, form, p.Status)
	}
	return done{To: "/silences", Notice: "The silence holds until " + utc(added.EndsAt) + "."}, err
}

// silenceAgain shows the form with what is wrong.
func (u *UI) silenceAgain(r *http.Request, form silenceForm, status int) (done, error) {
	v, err := u.silences(r, form)
	v.Status = status
	return done{Page: "silences", View: v}, err
}

func (u *UI) expireSilence(_ http.ResponseWriter, r *http.Request) (done, error) {
	_, err := u.Service.ExpireSilence(r.Context(), admin.PrincipalOf(r.Context()), r.PathValue("id"))
	return done{To: "/silences", Notice: "The silence has ended. What it has cancelled stays cancelled."}, err
}

// utc is a time in a sentence.
func utc(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
