// hookarr-target-text posts one line of text for each event, as JSON, under a key that the
// endpoint knows: "text" for Mattermost, Rocket.Chat and Google Chat, "content" for Discord.
import { serve } from './plugin.mjs';
import { checkURL } from './http.mjs';

// The only declaration of the configuration: its checks, its defaults, its secrets
// (writeOnly) and what Hookarr shows of it come from here.
const schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  additionalProperties: false,
  required: ['url'],
  properties: {
    url: {
      type: 'string',
      minLength: 1,
      title: 'URL',
      description: 'Where to post to.',
      examples: ['https://chat.example.com/hooks/xxxxxxxx'],
      writeOnly: true,
      'x-hookarr-network': true,
    },
    token: {
      type: 'string',
      pattern: '^[\\x21-\\x7e]*$', // what a header may have
      title: 'Token',
      description: 'Sent as the header Authorization: Bearer, if it is set.',
      writeOnly: true,
    },
    field: {
      type: 'string',
      minLength: 1,
      title: 'Field',
      description: 'Key of the text in the body.',
      default: 'text',
    },
    max_length: {
      type: 'integer',
      minimum: 1,
      maximum: 100000,
      title: 'Longest text',
      description: 'Characters after which the text is cut.',
      default: 2000,
      'x-hookarr-advanced': true,
    },
  },
};

serve({
  name: 'text',
  version: VERSION, // that of package.json
  summary: 'Posts one line of text for each event as JSON.',
  schema,
  features: ['FEATURE_GROUP', 'FEATURE_TEST', 'FEATURE_PREVIEW'],
  // check says what the schema cannot.
  check: (config) => checkURL(config.url).map((message) => ({ key: 'url', message })),
  deliver,
});

// deliver makes one attempt. Whatever the endpoint answers is an outcome; what is thrown
// is a bug of this plugin.
async function deliver(config, delivery, http) {
  const text = delivery.events.map((event) => event.summary || event.title).join('\n');
  return http.postJSON(config.url, { [config.field]: cut(text, config.max_length) }, {
    'Idempotency-Key': delivery.id,
    ...(config.token && { Authorization: `Bearer ${config.token}` }),
  });
}

// cut leaves at most limit characters, and no half of one.
function cut(text, limit) {
  const characters = [...text];
  return characters.length <= limit ? text : characters.slice(0, limit - 1).join('') + '…';
}
