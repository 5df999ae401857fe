package api

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/arr"
)

// File is a file in the API, which describes what is in it in other words than
// webhooks do.
type File struct {
	arr.File

	MediaInfo *MediaInfo
}

// MediaInfo is what an application found in a file, in the API.
type MediaInfo struct {
	AudioChannels         arr.Number
	AudioCodec            string
	AudioLanguages        arr.Names // eng/ger, as in webhooks of Sonarr 3
	Resolution            string    // 1920x1080
	Subtitles             arr.Names // eng/ger
	VideoCodec            string
	VideoDynamicRange     string
	VideoDynamicRangeType string
}

// Webhook is the file as webhooks have it.
func (f *File) Webhook() arr.File {
	out := f.File
	if m := f.MediaInfo; m != nil {
		width, height, _ := strings.Cut(m.Resolution, "x")
		out.MediaInfo = &arr.MediaInfo{
			AudioChannels:         m.AudioChannels,
			AudioCodec:            m.AudioCodec,
			AudioLanguages:        m.AudioLanguages,
			Width:                 pixels(width),
			Height:                pixels(height),
			Subtitles:             m.Subtitles,
			VideoCodec:            m.VideoCodec,
			VideoDynamicRange:     m.VideoDynamicRange,
			VideoDynamicRangeType: m.VideoDynamicRangeType,
		}
	}
	return out
}

func pixels(s string) arr.Number {
	// What is no number is not known.
	n, _ := strconv.Atoi(s)
	return arr.Number(max(n, 0))
}

// held are the files that a title has today.
type held struct {
	byID   map[arr.ID]*File
	byPath map[string]*File
}

func hold(files []File) held {
	h := held{byID: make(map[arr.ID]*File, len(files)), byPath: make(map[string]*File, len(files))}
	for i := range files {
		h.byID[files[i].ID] = &files[i]
		h.byPath[files[i].Path] = &files[i]
	}
	return h
}

// complete fills what a history record says of a file from the one that the title has
// today, found by id or else by path.
func (h held) complete(f *arr.File) {
	today := h.byID[f.ID]
	if f.ID == "" {
		today = h.byPath[f.Path]
	}
	if today == nil {
		return
	}
	k := today.Webhook()
	// The file may have been renamed since.
	k.Path, k.RelativePath, k.Previous, k.SourcePath = f.Path, f.RelativePath, f.Previous, f.SourcePath
	// Or written anew, as by what makes films smaller. Old versions do not record it.
	k.Size = cmp.Or(f.Size, k.Size)
	*f = k
}
