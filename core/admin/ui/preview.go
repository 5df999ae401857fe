package ui

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/admin/picture"
	"github.com/hookarr/hookarr/sdk"
)

// previewPage is what the page of a preview shows.
type previewPage struct {
	Target string
	Form   previewForm
	// Types, Stories and Sources are what the form offers.
	Types   []sdk.Type
	Stories []admin.SampleStory
	Sources []string
	// Shown is nil where Problem says why it cannot be shown.
	Shown   *admin.Preview
	Problem string
	// Pictures are the message as people see it, if it is one.
	Pictures []picture.Picture
	Headers  []fact
}

// previewForm is what is to be shown, as it is written into the form: Of is sample: or
// story: with a name.
type previewForm struct {
	Of, Event, Delivery, Source string
	Edit                        bool
}

func (f *previewForm) of() admin.PreviewOf {
	of := admin.PreviewOf{Edit: f.Edit}
	kind, name, _ := strings.Cut(f.Of, ":")
	switch {
	case f.Event != "":
		of.Event, of.Delivery = f.Event, f.Delivery
		return of
	case f.Delivery != "":
		of.Delivery = f.Delivery
		return of
	case kind == "story":
		of.Story = admin.SampleStory(name)
	default:
		of.Sample = sdk.Type(name)
	}
	of.Source = f.Source
	return of
}

func (u *UI) previewTarget(r *http.Request) (view, error) {
	name, q := r.PathValue("name"), r.URL.Query()
	if _, err := u.Service.FindTarget(r.Context(), name); err != nil {
		return view{}, err
	}
	page := previewPage{
		Target: name, Types: sdk.Types(), Stories: admin.SampleStories(),
		Sources: u.sources(),
		Form:    previewForm{Of: q.Get("of"), Event: strings.TrimSpace(q.Get("event")), Delivery: strings.TrimSpace(q.Get("delivery")), Source: q.Get("source"), Edit: q.Get("edit") != ""},
	}
	v := view{Title: "Preview of target " + name}
	asked := page.Form.Of != "" || page.Form.Event != "" || page.Form.Delivery != ""
	if !asked {
		page.Form.Of = "sample:" + string(sdk.TypeMediaImported)
	}
	shown, err := u.Service.Preview(r.Context(), name, page.Form.of())
	if p, ok := u.refusal(err); ok {
		if page.Problem = sentence(p.Detail); asked {
			v.Status = p.Status
		}
	} else if err != nil {
		return view{}, err
	} else {
		page.show(&shown)
	}
	v.Data = page
	return v, nil
}

func (p *previewPage) show(shown *admin.Preview) {
	p.Shown = shown
	p.Pictures = picture.Read(picture.Message{Plugin: shown.Plugin, Header: shown.Headers, Body: shown.Body})
	for _, name := range slices.Sorted(maps.Keys(shown.Headers)) {
		for _, value := range shown.Headers[name] {
			p.Headers = append(p.Headers, fact{name, value})
		}
	}
}
