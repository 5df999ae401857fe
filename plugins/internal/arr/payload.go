package arr

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/sdk"
)

// Payload is the part of a webhook that has the same shape in every application. A
// source plugin embeds it in a struct with the application's own fields, which hide
// those of the same name here.
type Payload struct {
	EventType      string
	InstanceName   string
	ApplicationURL string

	DownloadClient         string
	DownloadClientType     string
	DownloadID             string
	DownloadInfo           Release
	DownloadStatus         string
	DownloadStatusMessages List[StatusMessage]
	Release                Release
	CustomFormatInfo       CustomFormats
	IsUpgrade              Bool
	DeletedFiles           DeletedFiles
	DeleteReason           string
	AddMethod              string

	Level   string
	Type    string
	Message string
	WikiURL string

	PreviousVersion string
	NewVersion      string

	// What only other applications send, to tell whose payload it is.
	Movie    Present
	Series   Present
	Episodes Present
	Artist   Present
	Album    Present
	Albums   Present
	Tracks   Present
	Author   Present
}

// Release is what was grabbed, or what Radarr and Sonarr remember of it afterwards.
// Where a download waits for a person, it also describes the download.
type Release struct {
	Quality           Name
	ReleaseGroup      string
	ReleaseTitle      string
	Title             string
	Indexer           string
	Size              Number
	CustomFormatScore Number
	CustomFormats     Names
	Languages         Names
	IndexerFlags      Names
}

// CustomFormats are the custom formats that matched and the sum of their scores.
type CustomFormats struct {
	CustomFormats     Names
	CustomFormatScore Number
}

// StatusMessage is what an application has to say of one file of a download.
type StatusMessage struct {
	Title    string
	Messages List[Name]
}

// File is a media file. Not every application fills every field.
type File struct {
	ID             ID
	RelativePath   string
	Path           string
	SourcePath     string
	RecycleBinPath string
	Quality        Name
	ReleaseGroup   string
	SceneName      string
	Edition        string
	Size           Number
	Languages      Names
	IndexerFlags   Names
	// Language is what Sonarr 3 has in the place of Languages.
	Language  Name
	MediaInfo *MediaInfo

	// Previous is nil but for files that got another path: a body may list many thousands
	// of files.
	*Previous
}

// Previous is where a file was before.
type Previous struct {
	PreviousRelativePath string
	PreviousPath         string
}

// Before is where the file was before, or nowhere.
func (f *File) Before() Previous {
	if f.Previous == nil {
		return Previous{}
	}
	return *f.Previous
}

// MediaInfo is what an application found in a file.
type MediaInfo struct {
	AudioChannels         Number
	AudioCodec            string
	AudioLanguages        Names
	Height                Number
	Width                 Number
	Subtitles             Names
	VideoCodec            string
	VideoDynamicRange     string
	VideoDynamicRangeType string

	// What Sonarr 3 has in the place of the above.
	AudioFormat            string
	AudioChannelsContainer Number
	AudioChannelsStream    Number
	VideoFormat            string
}

// Image is a picture of a title. URL is mostly a path in the application that needs
// credentials, so nobody else can use it; versions without RemoteURL have the public
// one there.
type Image struct {
	CoverType string
	URL       string
	RemoteURL string
}

// DeletedFiles says of a deleted title whether its files went too, and lists the
// files that an import replaced.
type DeletedFiles struct {
	// Known is false when the webhook says neither.
	Known bool
	All   bool
	Files List[File]
}

// UnmarshalJSON never fails.
func (d *DeletedFiles) UnmarshalJSON(b []byte) error {
	var all Bool
	if err := all.UnmarshalJSON(b); err != nil {
		return err
	}
	d.Files = nil
	_ = json.Unmarshal(b, &d.Files) // what is no array lists no files
	d.Known = b[0] != 'n'
	d.All = bool(all) || len(d.Files) > 0
	return nil
}

// EventRelease returns the release as an event has it, or nil when nothing is known
// of it.
func (p *Payload) EventRelease() *sdk.Release {
	r, c := p.Release, p.CustomFormatInfo
	out := &sdk.Release{
		Title:         cmp.Or(r.ReleaseTitle, p.DownloadInfo.Title),
		Group:         r.ReleaseGroup,
		Indexer:       r.Indexer,
		SizeBytes:     cmp.Or(r.Size.Size(), p.DownloadInfo.Size.Size()),
		Quality:       string(cmp.Or(r.Quality, p.DownloadInfo.Quality)),
		Languages:     r.Languages,
		CustomFormats: c.CustomFormats,
		Score:         int(cmp.Or(c.CustomFormatScore, r.CustomFormatScore).Int()),
		Flags:         r.IndexerFlags,
	}
	if len(out.CustomFormats) == 0 {
		out.CustomFormats = r.CustomFormats
	}
	known := out.Title + out.Group + out.Indexer + out.Quality
	if known == "" && out.SizeBytes == 0 && out.Score == 0 && len(out.CustomFormats)+len(out.Flags)+len(out.Languages) == 0 {
		return nil
	}
	return out
}

// EventDownload returns the download as an event has it, or nil when there is none.
func (p *Payload) EventDownload() *sdk.Download {
	out := &sdk.Download{
		Client:     p.DownloadClient,
		ClientType: p.DownloadClientType,
		ID:         p.DownloadID,
		Title:      p.DownloadInfo.Title,
		SizeBytes:  p.DownloadInfo.Size.Size(),
		Status:     strings.ToLower(p.DownloadStatus),
		Messages:   p.messages(),
	}
	if out.Client+out.ClientType+out.ID+out.Title+out.Status == "" && out.SizeBytes == 0 && len(out.Messages) == 0 {
		return nil
	}
	return out
}

// messages are the status messages one by one. A message keeps the title it stands
// under where that says more than the name of the download.
func (p *Payload) messages() []string {
	var all []string
	for _, m := range p.DownloadStatusMessages {
		if len(m.Messages) == 0 && OneLine(m.Title) != "" {
			all = append(all, m.Title)
		}
		for _, message := range m.Messages {
			text := string(message)
			if OneLine(text) == "" {
				continue
			}
			if m.Title != "" && m.Title != p.DownloadInfo.Title && m.Title != p.Release.ReleaseTitle {
				text = m.Title + ": " + text
			}
			all = append(all, text)
		}
	}
	return all[:min(len(all), maxList)]
}

func (f *File) event(folder string) sdk.File {
	languages := f.Languages
	if len(languages) == 0 && f.Language != "" {
		languages = Names{string(f.Language)}
	}
	return sdk.File{
		ID:             string(f.ID),
		Path:           Path(folder, f.RelativePath, f.Path),
		RelativePath:   f.RelativePath,
		SizeBytes:      f.Size.Size(),
		Quality:        string(f.Quality),
		Languages:      languages,
		ReleaseGroup:   f.ReleaseGroup,
		SceneName:      f.SceneName,
		Edition:        OneLine(f.Edition),
		SourcePath:     f.SourcePath,
		RecycleBinPath: f.RecycleBinPath,
		MediaInfo:      f.MediaInfo.event(),
	}
}

// Rename returns the change of the file's path. The folder is the title's.
func (f *File) Rename(folder string) sdk.Rename {
	before := f.Before()
	return sdk.Rename{
		From: cmp.Or(before.PreviousPath, Path(folder, before.PreviousRelativePath, "")),
		To:   Path(folder, f.RelativePath, f.Path),
	}
}

// slashed splits what Sonarr 3 and the APIs join with slashes: "English / French".
func slashed(names Names) Names {
	if !slices.ContainsFunc(names, func(s string) bool { return strings.Contains(s, "/") }) {
		return names
	}
	var all Names
	for _, s := range names {
		for part := range strings.SplitSeq(s, "/") {
			all.add(part)
		}
	}
	return all
}

func (m *MediaInfo) event() *sdk.MediaInfo {
	if m == nil {
		return nil
	}
	return &sdk.MediaInfo{
		VideoCodec:     cmp.Or(m.VideoCodec, m.VideoFormat),
		Width:          int(m.Width.Size()),
		Height:         int(m.Height.Size()),
		DynamicRange:   cmp.Or(m.VideoDynamicRangeType, m.VideoDynamicRange),
		AudioCodec:     cmp.Or(m.AudioCodec, m.AudioFormat),
		AudioChannels:  max(float64(cmp.Or(m.AudioChannels, m.AudioChannelsContainer, m.AudioChannelsStream)), 0),
		AudioLanguages: slashed(m.AudioLanguages),
		Subtitles:      slashed(m.Subtitles),
	}
}

// Files returns files as an event has them, or nil for none. The folder is the
// title's.
func Files(folder string, files ...File) []sdk.File {
	var out []sdk.File
	for i := range files {
		out = append(out, files[i].event(folder))
	}
	return out
}

// Picture returns the absolute URL of the first image of a kind: poster, fanart. It
// is empty when there is none that others can fetch.
func Picture(images []Image, coverType string) string {
	for _, image := range images {
		if strings.EqualFold(image.CoverType, coverType) {
			if u := cmp.Or(AbsoluteURL(image.RemoteURL), AbsoluteURL(image.URL)); u != nil {
				return u.String()
			}
		}
	}
	return ""
}

// Qualities returns the distinct qualities of files, sorted, as one string for
// summaries. The application calls one that it could not tell Unknown.
func Qualities(files []sdk.File) string {
	var all []string
	for _, f := range files {
		if f.Quality != "" && f.Quality != "Unknown" && !slices.Contains(all, f.Quality) {
			all = append(all, f.Quality)
		}
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// IDs are a title's ids by the service that gave them.
type IDs map[string]ID

// Event returns the ids as an event has them: those that are known, or nil.
func (ids IDs) Event() map[string]string {
	var known map[string]string
	for service, id := range ids {
		if id == "" {
			continue
		}
		if known == nil {
			known = make(map[string]string, len(ids))
		}
		known[service] = string(id)
	}
	return known
}
