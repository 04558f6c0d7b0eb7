// @heddle/express: the mesh's inbound policies, request context and error answers for Express 4 and 5.
export { type ExpressMesh, type Middleware, heddle } from './middleware.js';
export { type ErrorMiddleware, heddleErrors } from './error-middleware.js';
