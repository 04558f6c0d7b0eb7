// productpage: the Express front of the shop. It asks details and reviews and shows both.
import express from 'express';
import { createMesh } from '@heddle/core';
import { heddle } from '@heddle/express';
import { startTracing } from './tracing.js';

startTracing();
const mesh = await createMesh();
const app = express();
app.use(heddle(mesh));

app.get('/healthz', (_request, response) => {
  response.send('ok');
});

app.get('/productpage', async (request, response) => {
  const user = request.get('end-user');
  const headers = user === undefined ? {} : { 'end-user': user };
  const [details, reviews] = await Promise.all([
    mesh.fetch('http://details:9080/details/0'),
    mesh.fetch('http://reviews:9080/reviews/0', { headers }),
  ]);
  response.status(details.ok && reviews.ok ? 200 : 503).json({
    details: details.ok ? await details.json() : { error: details.status },
    reviews: reviews.ok ? await reviews.json() : { error: reviews.status },
  });
});

await mesh.serve(app, 9080, { host: process.env['INSTANCE_IP'] });
process.send?.({ ready: true });
