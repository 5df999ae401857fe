package message

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hookarr/hookarr/sdk"
)

// builder collects the fields that have a value.
type builder []Field

func (b *builder) add(f Field) {
	f.Value = line(f.Value)
	if f.Value != "" {
		*b = append(*b, f)
	}
}

func (b *builder) text(w Weight, name, value string) {
	b.add(Field{Name: name, Value: value, Weight: w})
}

func (b *builder) code(w Weight, name, value string) {
	b.add(Field{Name: name, Value: value, Code: true, Weight: w})
}

// fields are the facts of a story, those that matter most first.
func fields(s story, title string) []Field {
	var b builder
	if h := s.Health; h != nil && compact(h.Check) != compact(title) {
		b.text(Detail, "Check", h.Check)
	}
	b.text(Main, "Lasted", lasting(s.lasted))
	if u := s.Update; u != nil {
		b.text(Main, "Version", change(u.From, u.To))
	}
	b.text(Main, "Changed", names(changed(s)))
	b.text(Main, "Available on", and(slices.Concat(s.partlyOn, others(s))))
	b.text(Usual, "Removed from", and(s.removedFrom()))
	b.files(s)
	b.release(s, title)
	b.deletion(s)
	b.media(s)
	b.places(s)
	if s.AppVersion != "" {
		b.text(Detail, "Application", spelled(s.App)+" "+s.AppVersion)
	}
	return b
}

// files are the facts of what came, or else of what went.
func (b *builder) files(s story) {
	weight, detail := Main, Usual
	if s.Type == sdk.TypeFileRenamed || s.Type == sdk.TypeFileRetagged {
		weight, detail = Detail, Detail
	}
	b.text(weight, "Quality", change(qualities(s.before), cmp.Or(qualities(s.Files), known(releaseOf(s).Quality))))
	b.text(weight, "Size", sizeChange(total(s.before), newSize(s)))
	if n := len(s.Files); n > 1 && n != len(s.Episodes) && n != len(s.Tracks) {
		b.text(detail, "Files", strconv.Itoa(n))
	}
	if n := len(s.Tracks); n > 1 && len(s.Albums) > 0 {
		b.text(detail, "Tracks", strconv.Itoa(n))
	}
	if len(s.Episodes) == 1 {
		if code := episodeCode(s.Episodes[0]); code != s.Episodes[0].AirDate {
			b.text(detail, "Aired", s.Episodes[0].AirDate)
		}
	}
	if len(s.Albums) == 1 {
		b.text(detail, "Released", s.Albums[0].ReleaseDate)
	}
	b.text(detail, "Languages", names(languages(s)))
	if len(s.Files) == 1 {
		b.text(Detail, "Video", video(s.Files[0].MediaInfo))
		b.text(Detail, "Audio", audio(s.Files[0].MediaInfo))
		b.text(Detail, "Subtitles", subtitles(s.Files[0].MediaInfo))
	}
}

// release are the facts of what an indexer offered. They are of interest before it came,
// or while it does not.
func (b *builder) release(s story, title string) {
	weight := Detail
	switch s.Type {
	case sdk.TypeReleaseGrabbed, sdk.TypeImportFailed, sdk.TypeDownloadFailed, sdk.TypeManualInteractionRequired:
		weight = Usual
	default:
	}
	r, d := releaseOf(s), downloadOf(s)
	b.text(Usual, "Custom formats", names(r.CustomFormats))
	if r.Score != 0 || s.scoreBefore != nil {
		score := fmt.Sprintf("%+d", r.Score)
		if s.scoreBefore != nil {
			score = change(fmt.Sprintf("%+d", *s.scoreBefore), score)
		}
		b.text(Usual, "Score", score)
	}
	b.text(weight, "Release group", cmp.Or(line(r.Group), common(s.Files, func(f sdk.File) string { return f.ReleaseGroup })))
	// Prowlarr adds its name to the indexers that it manages.
	b.text(Usual, "Indexer", strings.TrimSuffix(line(r.Indexer), " (Prowlarr)"))
	b.text(Detail, "Flags", names(r.Flags))
	b.text(weight, "Download client", firstLine(d.Client, d.ClientType))
	if name := firstLine(r.Title, d.Title, common(s.Files, func(f sdk.File) string { return f.SceneName })); name != title {
		b.code(weight, "Release", name)
	}
}

func (b *builder) deletion(s story) {
	if s.Type == sdk.TypeFileDeleted { // For an upgrade is said by the headline.
		b.text(Main, "Reason", reason(s.DeleteReason))
	}
	if s.FilesDeleted {
		b.text(Main, "Files", "deleted too")
	}
	if s.FilesKept {
		b.text(Main, "Files", "kept")
	}
	if m := s.Media; m != nil && s.FilesDeleted && total(s.before) == 0 {
		b.text(Main, "Size", size(m.SizeBytes))
	}
	if s.Type == sdk.TypeFileDeleted && len(s.DeletedFiles) == 1 {
		b.code(Usual, "File", fileName(s.DeletedFiles[0]))
		b.code(Detail, "Recycle bin", s.DeletedFiles[0].RecycleBinPath)
	}
	if s.Type == sdk.TypeFileRetagged && len(s.Files) == 1 {
		b.code(Usual, "File", fileName(s.Files[0]))
	}
}

func (b *builder) media(s story) {
	m := s.Media
	if m == nil {
		return
	}
	weight := Detail
	if s.Type == sdk.TypeMediaAdded {
		weight = Usual
	}
	if method := strings.ToLower(spelled(s.AddMethod)); method != "manual" {
		b.text(Usual, "Added by", method)
	}
	if len(s.Episodes)+len(s.Albums) == 0 {
		b.text(weight, "Released", m.ReleaseDate)
	}
	b.text(weight, "Genres", names(m.Genres))
	b.text(weight, "Tags", names(m.Tags))
	b.text(Detail, "Original language", m.OriginalLanguage)
	var ids []string
	for _, service := range slices.Sorted(maps.Keys(m.IDs)) {
		if id := m.IDs[service]; id != "" && id != "0" {
			ids = append(ids, service+" "+id)
		}
	}
	b.text(Detail, "IDs", names(ids))
}

// places are where the file is, or the folder when there are several files or none.
func (b *builder) places(s story) {
	switch {
	case s.Type == sdk.TypeFileDeleted && len(s.DeletedFiles) == 1, s.Type == sdk.TypeFileRetagged && len(s.Files) == 1:
	case len(s.Files) == 1:
		b.code(Detail, "Path", firstLine(s.Files[0].RelativePath, s.Files[0].Path))
	case s.Media != nil:
		b.code(Detail, "Path", s.Media.Path)
	}
}

// gist is the fields that matter most in a line.
func gist(fields []Field) string {
	var parts []string
	for _, f := range fields {
		switch {
		case f.Name == "Score" && strings.Contains(f.Value, "→"), f.Name == "Score" && slices.ContainsFunc(fields, func(o Field) bool { return o.Name == "Quality" && strings.Contains(o.Value, "→") }):
			parts = append(parts, "score "+f.Value)
		case f.Name == "Files":
			parts = append(parts, "files "+f.Value)
		case f.Name == "Lasted":
			parts = append(parts, "after "+f.Value)
		case f.Weight == Main:
			parts = append(parts, f.Value)
		}
	}
	return strings.Join(parts, ", ")
}

// changed are the fields that an update of a title names, in words.
func changed(s story) []string {
	var all []string
	for _, e := range s.events {
		for _, f := range e.Fields {
			all = append(all, strings.ToLower(spelled(f)))
		}
	}
	return all
}

// others are the media servers that have a story of which the headline says that another
// misses it.
func others(s story) []string {
	if len(s.missingOn) == 0 {
		return nil
	}
	return s.availableOn
}
