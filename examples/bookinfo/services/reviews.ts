// reviews: three versions of one Express service. v1 shows text only; v2 and v3 ask ratings for stars over gRPC.
import express from 'express';
import { createMesh } from '@heddle/core';
import { heddle } from '@heddle/express';
import '@heddle/grpc';
import { ratingsClient, type RatingsReply } from './ratings-api.js';
import { startTracing } from './tracing.js';

startTracing();
const version = process.env['REVIEWS_VERSION'] ?? 'v1';
const color = version === 'v3' ? 'red' : 'black';
const mesh = await createMesh();
const ratings = ratingsClient(mesh.channel('ratings:9080'));
const app = express();
app.use(heddle(mesh));

app.get('/reviews/:id', async (request, response) => {
  const stars = version === 'v1' ? undefined : await starsOf(request.params.id);
  if (stars instanceof Error) {
    response.status(503).json({ error: stars.message });
    return;
  }
  response.json({
    version,
    caller: request.mesh?.peer?.spiffeId,
    reviews: [
      { reviewer: 'Reviewer1', text: 'An extremely entertaining play.', stars: stars?.stars['Reviewer1'], color },
      { reviewer: 'Reviewer2', text: 'Absolutely fun and entertaining.', stars: stars?.stars['Reviewer2'], color },
    ],
    ratingsServedBy: stars?.served_by,
  });
});

function starsOf(product: string): Promise<RatingsReply | Error> {
  return new Promise((resolve) => {
    ratings.GetRatings({ product }, (error, reply) => resolve(error ?? reply ?? new Error('no reply')));
  });
}

await mesh.serve(app, 9080, { host: process.env['INSTANCE_IP'] });
process.send?.({ ready: true });
