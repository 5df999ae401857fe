package arr

import "github.com/hookarr/hookarr/sdk"

// Keeping is how an application keeps a title. The applications' webhooks do not say it;
// their APIs do.
type Keeping struct {
	Monitored     *Bool
	Added         string
	Certification string
	Runtime       Number
	// QualityProfile is the name of the one with QualityProfileID.
	QualityProfile   string
	QualityProfileID ID
}

// Fill sets what it knows in a title.
func (k *Keeping) Fill(m *sdk.Media) {
	if k.Monitored != nil {
		m.Monitored = new(bool(*k.Monitored))
	}
	m.AddedAt = Moment(k.Added)
	m.Certification = OneLine(k.Certification)
	m.RuntimeMinutes = int(k.Runtime.Size())
	m.QualityProfile = OneLine(k.QualityProfile)
}
